"""The bench's parts that call a daemon: against the raw echo limit, over gRPC, durable check-ins, start and memory."""

import os
import statistics
import time

import bench_data
from bench_grpc import over_grpc
from bench_kit import compile_c, fixed_server, medians, pin, placements, rss_bytes, unpin

SHAPES = [(1, 1), (1, 64), (8, 16)]
CHECK_IN_SHAPES = [(1, 1), (4, 8), (8, 64)]
GET_ECHO_BYTES = 260
GET_DEVICE = "rollcall.v1.Devices/GetDevice"


def rpc(kit):
    count = kit.settings.count
    compile_c(kit.folder, "echo")
    gets = kit.write_frames("GetDevice", bench_data.gets(kit.schema, count))
    pages = kit.write_frames("ListDevices", bench_data.newest_pages(kit.schema))
    print(f"## Calls among {count:,} devices, against the raw echo limit\n")
    for frames in (gets, pages):
        probe = kit.load(kit.daemon.socket, kit.daemon.pid, frames, (1, 1), 0.1)
        reply_bytes = probe["reply_bytes"] // probe["count"]
        against_echo(kit, frames, reply_bytes, GET_ECHO_BYTES if frames is gets else reply_bytes)
    over_grpc(kit, gets)
    check_ins(kit)


def against_echo(kit, frames, reply_bytes, echo_bytes):
    print(f"{frames.name}, {reply_bytes:,} bytes a reply (echo: {echo_bytes:,}); thousand/s, µs, CPU ns a call\n")
    print("| placement | outstanding | ours | echo | ratio | ours p50 | p99 | echo p50 | p99 | ours CPU | echo |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    with fixed_server(kit.folder, "echo", "echo.s", echo_bytes) as (socket, pid):
        for name, (server_core, client_core) in placements().items():
            pin(kit.daemon.pid, server_core)
            pin(pid, server_core)
            for shape in SHAPES:
                servers = {"ours": (kit.daemon.socket, kit.daemon.pid), "echo": (socket, pid)}
                compare(kit, frames, name, shape, client_core, servers)
    unpin(kit.daemon.pid)
    print()


def compare(kit, frames, placement, shape, client_core, servers):
    runs = {name: [] for name in servers}
    for _ in range(kit.settings.runs):
        for name, (socket, pid) in servers.items():
            runs[name].append(kit.load(socket, pid, frames, shape, kit.settings.seconds, client_core))
    ours, echo = (medians(runs[name], ("rate", "p50_ns", "p99_ns", "cpu_ns")) for name in servers)
    kit.results.setdefault("rpc", []).append(
        {"call": frames.name, "placement": placement, "outstanding": shape, "ours": ours, "echo": echo}
    )
    times = " | ".join(f"{figures[key] / 1e3:,.1f}" for figures in (ours, echo) for key in ("p50_ns", "p99_ns"))
    print(
        f"| {placement} | {shape[0]} × {shape[1]} | {ours['rate'] / 1e3:,.1f} | {echo['rate'] / 1e3:,.1f} "
        f"| {ours['rate'] / echo['rate']:.2f} | {times} | {ours['cpu_ns']:,.0f} | {echo['cpu_ns']:,.0f} |",
        flush=True,
    )


def check_ins(kit):
    frames = kit.write_frames("CheckIn", bench_data.present_check_ins(kit.schema, kit.settings.count))
    floor = fdatasync_rate(kit)
    print(f"CheckIn, each durable before its answer; this disk does {floor:,.0f} appends with fdatasync a second\n")
    print("| outstanding | thousand/s | × fdatasync | p50 µs | p99 µs | CPU ns |")
    print("|---|--:|--:|--:|--:|--:|")
    for shape in CHECK_IN_SHAPES:
        figures = kit.load(kit.daemon.socket, kit.daemon.pid, frames, shape, kit.settings.seconds)
        kit.results.setdefault("check_in", []).append({"outstanding": shape, "fdatasync": floor} | figures)
        print(
            f"| {shape[0]} × {shape[1]} | {figures['rate'] / 1e3:,.1f} | {figures['rate'] / floor:.2f} "
            f"| {figures['p50_ns'] / 1e3:,.1f} | {figures['p99_ns'] / 1e3:,.1f} | {figures['cpu_ns']:,.0f} |",
            flush=True,
        )
    print()


def fdatasync_rate(kit):
    path = kit.folder / "floor"
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    began, count = time.monotonic(), 0
    while (took := time.monotonic() - began) < kit.settings.seconds:
        os.write(file, bytes(4096))
        os.fdatasync(file)
        count += 1
    os.close(file)
    path.unlink()
    return count / took


def start(kit):
    fill, count = kit.results["fill"], kit.settings.count
    seconds, sizes = [], []
    for _ in range(kit.settings.runs):
        kit.daemon.stop()
        began = time.monotonic()
        kit.daemon.start()
        with kit.daemon.connect() as connection:
            connection.call(GET_DEVICE, {"device_serial": bench_data.serial(count // 2).decode()})
        seconds.append(time.monotonic() - began)
        sizes.append(rss_bytes(kit.daemon.pid))
    took, size = statistics.median(seconds), statistics.median(sizes)
    on_disk = sum(path.stat().st_size for path in (kit.folder / "data").rglob("*") if path.is_file())
    kit.results["start"] = {"devices": count, "seconds": took, "rss": size, "store_bytes": on_disk}
    print(f"## Start and memory, {count:,} devices without attributes\n")
    print("| what | figure |")
    print("|---|--:|")
    rows = {
        "CreateDevice while filling, thousand/s": f"{fill['rates']['CreateDevice'] / 1e3:,.1f}",
        "CheckIn while filling, thousand/s": f"{fill['rates']['CheckIn'] / 1e3:,.1f}",
        "from start to the first GetDevice answered, s": f"{took:.3f}",
        "store on disk, bytes a device": f"{on_disk / count:,.0f}",
        "RSS of an empty daemon, MB": f"{fill['rss_empty'] / 1e6:,.1f}",
        "RSS after filling, bytes a device": f"{(fill['rss_filled'] - fill['rss_empty']) / count:,.0f}",
        "RSS after starting, MB": f"{size / 1e6:,.1f}",
        "RSS after starting, bytes a device": f"{(size - fill['rss_empty']) / count:,.0f}",
    }
    for name, figure in rows.items():
        print(f"| {name} | {figure} |")
    print()
