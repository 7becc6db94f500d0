"""10,000 cancelled calls, after which the daemon holds no more than before."""

import concurrent.futures
import os

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import devices_pb2_grpc

CANCELLED_COUNT = 10_000
WARM_UP_COUNT = 1_000
THREAD_COUNT = 16
# As many calls as one connection may have in flight: were streams left open, this many would not fit.
IN_FLIGHT = 1_000
GROWTH_BYTES_MAX = 24 << 20


def run(server, checks):
    with server.own_channel() as channel:
        cancels(channel, WARM_UP_COUNT)
        fits(channel, checks, "before")
        bytes_before, files_before = server.resident_bytes(), open_files(server)
        codes = cancels(channel, CANCELLED_COUNT)
        checks.equal("calls that were cancelled or already answered", codes.keys() - {"CANCELLED", "OK"}, set())
        checks.equal("how many they were", sum(codes.values()), CANCELLED_COUNT)
        checks.true(f"most were cancelled: {codes}", codes.get("CANCELLED", 0) > CANCELLED_COUNT // 2)
        fits(channel, checks, "after")
        growth = server.resident_bytes() - bytes_before
        checks.true(f"growth of {growth >> 10} KiB is within {GROWTH_BYTES_MAX >> 10} KiB", growth <= GROWTH_BYTES_MAX)
        checks.equal("open files of the daemon", open_files(server), files_before)


def cancels(channel, count):
    """Cancels half of the calls before their answer and half, watches, after their first message; counts codes."""
    devices = devices_pb2_grpc.DevicesStub(channel)
    health = health_pb2_grpc.HealthStub(channel)

    def one(index):
        if index % 2:
            call = devices.ListDevices.future(api.ListDevicesRequest(page_size=1000), timeout=20)
        else:
            call = health.Watch(health_pb2.HealthCheckRequest(), timeout=20)
            try:
                next(call)
            except grpc.RpcError:
                return call.code().name
        call.cancel()
        return call.code().name

    codes = {}
    with concurrent.futures.ThreadPoolExecutor(THREAD_COUNT) as threads:
        for code in threads.map(one, range(count)):
            codes[code] = codes.get(code, 0) + 1
    return codes


def fits(channel, checks, when):
    """Watches, which stay open, up to the number that a connection may have."""
    health = health_pb2_grpc.HealthStub(channel)
    watches = [health.Watch(health_pb2.HealthCheckRequest(), timeout=20) for _ in range(IN_FLIGHT)]
    statuses = {next(watch).status for watch in watches}
    checks.equal(f"{IN_FLIGHT} streams at once {when}", statuses, {health_pb2.HealthCheckResponse.SERVING})
    for watch in watches:
        watch.cancel()


def open_files(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))
