"""what the server says of itself and of the caller."""

import hashlib
import os
import uuid

from rollcall.v1 import server_pb2 as api


def run(server, checks):
    answer = server.server.GetServerInfo(api.GetServerInfoRequest())
    checks.true("there is a version", answer.version)
    checks.equal("the store's id is a UUID", str(uuid.UUID(answer.store_id)), answer.store_id)
    checks.true("it has been up for some time", answer.uptime.ToNanoseconds() > 0)
    admin = api.GrantedRoles(roles=["admin"])
    caller = api.Caller(
        uid=os.getuid(), gid=os.getgid(), pid=os.getpid(), groups=os.getgroups(), roles=[admin]
    )
    checks.same("caller", answer.caller, caller)
    limits = {limit.name: (limit.value, limit.unit) for limit in answer.limits}
    checks.equal("limit of a message", limits.get("message_bytes"), (4 << 20, "bytes"))
    checks.true("every limit is positive and has a unit", all(value > 0 and unit for value, unit in limits.values()))
    checks.true("memory is told by part", answer.memory and all(figure.name for figure in answer.memory))
    with server.over_ttrpc() as connection:
        other = connection.call("rollcall.v1.Server/GetServerInfo", {})
        counted = connection.call("rollcall.v1.Server/GetStats", {})
    checks.equal("the store's id over ttrpc", other["store_id"], answer.store_id)
    checks.equal("the revision over ttrpc", other.get("revision", 0), answer.revision)
    checks.equal("the number of limits over ttrpc", len(other["limits"]), len(answer.limits))
    backs_up(server, answer, checks)
    stats(server, checks, counted)


def backs_up(server, info, checks):
    """A backup is a database, which its last message proves whole."""
    messages = list(server.server.Backup(api.BackupRequest()))
    content = b"".join(message.data for message in messages)
    checks.true("a backup is an SQLite database", content.startswith(b"SQLite format 3\0"))
    positions = [sum(len(message.data) for message in messages[:index]) for index in range(len(messages))]
    checks.equal("positions in a backup", [message.position for message in messages], positions)
    checks.equal("its size in each message", {message.total_bytes for message in messages}, {len(content)})
    last = len(messages) - 1
    ends = [index for index, message in enumerate(messages) if message.HasField("summary")]
    checks.equal("the messages with a summary", ends, [last])
    summary = messages[-1].summary
    checks.equal("its SHA-256", summary.sha256, hashlib.sha256(content).digest())
    checks.equal("its size", summary.bytes, len(content))
    checks.equal("its store", summary.store_id, info.store_id)
    checks.true("its revision is not older", summary.revision >= info.revision)


def stats(server, checks, over_ttrpc):
    server.server.GetStats(api.GetStatsRequest())
    answer = server.server.GetStats(api.GetStatsRequest())
    calls = {(call.method, call.protocol): call for call in answer.calls}
    for protocol in ("grpc", "ttrpc"):
        info = calls["rollcall.v1.Server/GetServerInfo", protocol]
        checks.true(f"GetServerInfo over {protocol} is counted", any(c.code == 0 and c.count for c in info.codes))
        latency = info.latency_nanoseconds
        checks.equal(f"it is measured over {protocol}", latency.count, sum(code.count for code in info.codes))
        quantiles = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max]
        checks.equal(f"its quantiles over {protocol} rise", quantiles, sorted(quantiles))
        checks.true(f"they are times over {protocol}", quantiles[0] > 0)
    checks.equal("this call is under way", calls["rollcall.v1.Server/GetStats", "grpc"].open_count, 1)
    checks.true("connections are counted", all(c.total_count and c.received_bytes for c in answer.connections))
    checks.true("the writer is measured", answer.writer.commit_nanoseconds.p99 >= answer.store.sync_nanoseconds.p50 > 0)
    checks.true("files and memory have sizes", answer.store.database_bytes and answer.process.resident_bytes)
    checks.true("descriptors are counted", 0 < answer.process.descriptors <= answer.process.descriptors_max)
    checks.true("the same over ttrpc", over_ttrpc["calls"] and over_ttrpc["writer"])
