"""deadlines, cancellation, metadata, sizes, compression, and methods that are not there."""

import time

import grpc
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import devices_pb2_grpc, server_pb2, server_pb2_grpc

MESSAGE_BYTES_MAX = 4 << 20


def run(server, checks):
    takes_metadata(server, checks)
    bounds_messages(server, checks)
    refuses_compression(server, checks)
    refuses_unknown_methods(server, checks)
    ends_at_the_deadline(server, checks)
    ends_when_cancelled(server, checks)
    checks.true("and the channel still serves", info(server))


def info(server):
    return server.server.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=10).version


def ends_at_the_deadline(server, checks):
    ask = server.server.GetServerInfo
    empty = server_pb2.GetServerInfoRequest()
    checks.refused("a deadline that has passed", StatusCode.DEADLINE_EXCEEDED, ask, empty, timeout=-1)
    for seconds in (5, 90, 5000, 400_000, 10 * 365 * 86_400):
        checks.true(f"deadline of {seconds} s is read", ask(empty, timeout=seconds).version)
    began = time.monotonic()
    watch = health_pb2_grpc.HealthStub(server.plain_channel).Watch(health_pb2.HealthCheckRequest(), timeout=0.4)
    code, received = end_of(watch)
    elapsed = time.monotonic() - began
    checks.equal("a stream's deadline, code", code, "DEADLINE_EXCEEDED")
    checks.equal("messages before it", received, 1)
    checks.true(f"the deadline of 0.4 s was met after {elapsed:.2f} s", 0.35 <= elapsed < 3)


def end_of(call):
    """Reads a stream to its end; returns its code and the number of messages."""
    received = 0
    try:
        for _ in call:
            received += 1
    except grpc.RpcError:
        pass
    return call.code().name, received


def ends_when_cancelled(server, checks):
    watch = health_pb2_grpc.HealthStub(server.plain_channel).Watch(health_pb2.HealthCheckRequest())
    next(watch)
    watch.cancel()
    checks.equal("a cancelled stream", end_of(watch)[0], "CANCELLED")
    future = server.devices.ListDevices.future(api.ListDevicesRequest())
    future.cancel()
    checks.true("a cancelled call is over", future.cancelled() or future.done())
    checks.true("the channel serves after that", info(server))


def takes_metadata(server, checks):
    metadata = [("x-request", "one"), ("x-request", "two"), ("trace-bin", bytes(range(256))), ("x-long", "m" * 4000)]
    answer, call = server.server.GetServerInfo.with_call(
        server_pb2.GetServerInfoRequest(), metadata=metadata, timeout=10
    )
    checks.true("a call with metadata is answered", answer.version)
    checks.equal("its code", call.code(), StatusCode.OK)
    checks.true("no details on success", not dict(call.trailing_metadata()).get("grpc-status-details-bin"))
    with server.own_channel(settings=[("grpc.default_authority", "somewhere.example:1")]) as channel:
        stub = server_pb2_grpc.ServerStub(channel)
        answer = stub.GetServerInfo(server_pb2.GetServerInfoRequest(), timeout=10)
        checks.true("any authority is accepted", answer.version)


def bounds_messages(server, checks):
    get = server.plain_channel.unary_unary("/rollcall.v1.Devices/GetDevice")
    # The serial, field 2, with a length of four bytes: five bytes in all before the text.
    head = b"\x12" + varint4(MESSAGE_BYTES_MAX - 5)
    full = head + b"a" * (MESSAGE_BYTES_MAX - 5)
    checks.refused("a message of 4 MiB is read", StatusCode.INVALID_ARGUMENT, get, full)
    for excess in (1, 1 << 20, 12 << 20):
        checks.refused(
            f"a message of 4 MiB and {excess} bytes",
            StatusCode.RESOURCE_EXHAUSTED,
            get,
            full + b"a" * excess,
            reason="LIMIT_EXCEEDED",
        )
    checks.true("the channel serves after that", info(server))


def varint4(number):
    return bytes([number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14 & 0x7F | 0x80, number >> 21])


def refuses_compression(server, checks):
    with server.own_channel(compression=grpc.Compression.Gzip) as channel:
        large = api.ListDevicesRequest(owner_ref=["the same again"] * 500)
        checks.refused(
            "a compressed message", StatusCode.UNIMPLEMENTED, devices_pb2_grpc.DevicesStub(channel).ListDevices, large
        )


def refuses_unknown_methods(server, checks):
    for method in ("/rollcall.v1.Devices/Nothing", "/rollcall.v1.Nothing/GetDevice", "/rollcall.v2.Devices/GetDevice"):
        call = server.plain_channel.unary_unary(method)
        refusal = checks.refused(method, StatusCode.UNIMPLEMENTED, call, b"", reason="METHOD_UNKNOWN")
        checks.true(f"{method} is named", all(part in refusal.message for part in method.strip("/").split("/")))
    strange = server.plain_channel.unary_unary("/rollcall.v1.Devices")
    checks.refused("a path without a method", StatusCode.UNIMPLEMENTED, strange, b"")
