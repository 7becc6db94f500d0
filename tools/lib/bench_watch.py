"""The bench's part on watchers: what those who read nothing, and those who read all, take from the writer."""

import contextlib
import socket
import statistics
import threading

import bench_data
from bench_kit import rss_bytes
from rollcall_wire import request_frame

WATCH, EXPORT = "rollcall.v1.Devices/WatchDevices", "rollcall.v1.Devices/ExportDevices"
SHAPE = (1, 512)
TARGET = 0.95
ROUNDS_A_RUN = 4
READ_BYTES = 1 << 20


def watch(kit):
    frames = kit.write_frames("WatchedCheckIn", bench_data.present_check_ins(kit.schema, kit.settings.count))
    # The first run warms up what every other finds warm.
    run(kit, frames, contextlib.nullcontext())
    modes = {
        "nobody else": contextlib.nullcontext,
        "a watcher and an export that read nothing": lambda: stalled(kit),
        "a watcher that reads": lambda: reading(kit),
    }
    rates, grown = {name: [] for name in modes}, {name: 0 for name in modes}
    # Runs differ by as much as what is looked for: many of them, and none always after the same one.
    order = list(modes)
    for _ in range(kit.settings.runs * ROUNDS_A_RUN):
        order.append(order.pop(0))
        for name in order:
            before = rss_bytes(kit.daemon.pid)
            rates[name].append(run(kit, frames, modes[name]()))
            grown[name] = max(grown[name], rss_bytes(kit.daemon.pid) - before)
    alone = statistics.median(rates["nobody else"])
    kit.results["watch"] = {name: statistics.median(values) for name, values in rates.items()}
    print(f"Check-ins at {SHAPE[0]} × {SHAPE[1]}, each durable before its answer\n")
    print("| beside | thousand/s | ratio | target | met | memory grows by at most |")
    print("|---|--:|--:|--:|---|--:|")
    for name, rate in kit.results["watch"].items():
        has_target = name.endswith("nothing")
        met = ("yes" if rate / alone >= TARGET else "no") if has_target else ""
        target = f"≥ {TARGET}" if has_target else ""
        print(
            f"| {name} | {rate / 1e3:,.1f} | {rate / alone:.2f} | {target} | {met} | {grown[name] / (1 << 20):,.0f} MiB |",
            flush=True,
        )
    print()


def run(kit, frames, others):
    with others:
        return kit.load(kit.daemon.socket, kit.daemon.pid, frames, SHAPE, kit.settings.seconds)["rate"]


def opened(kit, method):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(str(kit.daemon.socket))
    connection.sendall(request_frame(kit.schema, 1, method, {"project": "default"}))
    return connection


@contextlib.contextmanager
def stalled(kit):
    with opened(kit, WATCH), opened(kit, EXPORT):
        yield


@contextlib.contextmanager
def reading(kit):
    def read():
        while connection.recv(READ_BYTES):
            pass

    with opened(kit, WATCH) as connection:
        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            reader.join()
