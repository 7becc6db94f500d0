"""what the server says of itself and of the caller."""

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
    checks.equal("the store's id over ttrpc", other["store_id"], answer.store_id)
    checks.equal("the revision over ttrpc", other.get("revision", 0), answer.revision)
    checks.equal("the number of limits over ttrpc", len(other["limits"]), len(answer.limits))
