"""SIGTERM: health says so, calls in flight are answered, later ones are turned away, and the daemon ends."""

import os
import pathlib
import signal
import threading
import time

import grpc
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import devices_pb2_grpc, resources_pb2, server_pb2, server_pb2_grpc

STATUS = health_pb2.HealthCheckResponse
THREAD_COUNT = 8
END_SECONDS_MAX = 20


class Caller(threading.Thread):
    """Registers devices on a channel of its own until it is turned away."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.channel = server.new_channel()
        self.number = number
        self.answered = 0
        self.code = None
        self.call_seconds_max = 0.0

    def run(self):
        devices = devices_pb2_grpc.DevicesStub(self.channel)
        while self.code is None:
            device = resources_pb2.Device(
                device_serial=f"drain-{self.number}-{self.answered}", owner_ref="ada", hardware_version="hw1"
            )
            began = time.monotonic()
            try:
                devices.CreateDevice(api.CreateDeviceRequest(device=device), timeout=20)
                self.answered += 1
            except grpc.RpcError as error:
                self.code = error.code().name
            self.call_seconds_max = max(self.call_seconds_max, time.monotonic() - began)


class Watcher(threading.Thread):
    """Watches the health of the whole server until the stream ends."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.call = health_pb2_grpc.HealthStub(server.plain_channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        self.statuses = [next(self.call).status]

    def run(self):
        try:
            for message in self.call:
                self.statuses.append(message.status)
        except grpc.RpcError:
            pass


def run(server, checks):
    watcher = Watcher(server)
    watcher.start()
    callers = [Caller(server, number) for number in range(THREAD_COUNT)]
    for caller in callers:
        caller.start()
    while not all(caller.answered >= 5 or caller.code for caller in callers):
        time.sleep(0.01)
    os.kill(server.pid, signal.SIGTERM)
    for thread in (watcher, *callers):
        thread.join(END_SECONDS_MAX)
    checks.equal("what a watcher of health saw", watcher.statuses, [STATUS.SERVING, STATUS.NOT_SERVING])
    checks.equal("how its stream ended", watcher.call.code() and watcher.call.code().name, "UNAVAILABLE")
    checks.equal("how callers were turned away", {caller.code for caller in callers}, {"UNAVAILABLE"})
    slowest = max(caller.call_seconds_max for caller in callers)
    checks.true(f"no call took longer than 5 s (the slowest {slowest:.2f} s)", slowest <= 5)
    empty = server_pb2.GetServerInfoRequest()
    checks.refused("a new call", StatusCode.UNAVAILABLE, server.server.GetServerInfo, empty)
    with server.own_channel() as channel:
        call = server_pb2_grpc.ServerStub(channel).GetServerInfo
        checks.refused("a call on a new channel", StatusCode.UNAVAILABLE, call, empty)
    checks.true(f"the daemon ended within {END_SECONDS_MAX} s", has_ended(server.pid))
    checks.true("its socket is gone", not pathlib.Path(server.socket).exists())


def has_ended(pid):
    """Whether the process ends in time; its parent, which is not this one, has yet to hear of it."""
    deadline = time.monotonic() + END_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False
