"""The bench's calls over gRPC, beside a server written with gRPC for C++ that answers fixed bytes."""

import contextlib

from bench_kit import compile_cc, fixed_server, medians, package_flags, pin, placements, unpin
from bench_query_tables import ratio, table, verdict
from rollcall_daemon import ToolError

SHAPES = [(1, 1), (1, 64), (8, 16)]
# The ways in which the peer serves calls. Neither is the faster one everywhere: ours is held to the better one of each
# figure.
WAYS = ["callback", "async"]
RATE_SHAPE, RATE_RATIO_MIN = (8, 16), 1.0
P50_SHAPE, P50_RATIO_MAX = (1, 1), 1.2


def over_grpc(kit, frames):
    """Measures the calls of one method, which must be what the peer serves, and prints the tables."""
    daemon = kit.daemon
    probe = kit.load(daemon.socket, daemon.pid, frames, (8, 16), 0.1, protocol="grpc")
    message_bytes = round(probe["reply_bytes"] / probe["count"])
    with contextlib.ExitStack() as stack:
        servers = {"ours": (daemon.socket, daemon.pid)}
        if not kit.settings.is_quick:
            compile_cc(kit.folder, "grpc_server", *package_flags("grpc++"))
            for way in WAYS:
                server = fixed_server(kit.folder, "grpc_server", f"grpc-{way}.s", message_bytes, way)
                servers[way] = stack.enter_context(server)
        figures = {
            (placement, shape): compare(kit, frames, servers, shape, cores, message_bytes)
            for placement, cores in placements().items()
            for shape in SHAPES
        }
    unpin(daemon.pid)
    kit.results["grpc"] = [
        {"call": frames.name, "placement": placement, "outstanding": shape} | its
        for (placement, shape), its in figures.items()
    ]
    print_figures(frames.name, message_bytes, figures)
    if kit.settings.is_quick:
        print("A quick run leaves out gRPC for C++, whose server takes longer to compile than all of this to run.\n")
    else:
        print_targets(figures)


def compare(kit, frames, servers, shape, cores, message_bytes):
    """The medians of each server, from alternated runs."""
    server_core, client_core = cores
    runs = {name: [] for name in servers}
    for _, pid in servers.values():
        pin(pid, server_core)
    for _ in range(kit.settings.runs):
        for name, (socket, pid) in servers.items():
            run = kit.load(socket, pid, frames, shape, kit.settings.seconds, client_core, "grpc")
            if name != "ours" and run["reply_bytes"] != run["count"] * message_bytes:
                raise ToolError(f"the C++ server's replies are not of {message_bytes:,} bytes each")
            runs[name].append(run)
    return {name: medians(its, ("rate", "p50_ns", "p99_ns", "cpu_ns")) for name, its in runs.items()}


def print_figures(call, message_bytes, figures):
    print(f"{call} over gRPC, {message_bytes:,} bytes a message; thousand/s, CPU ns a call, µs\n")
    columns, lines = ["placement", "outstanding"], []
    for name in next(iter(figures.values())):
        columns += [name if name == "ours" else f"C++ {name}", "CPU", "p50", "p99"]
    for (placement, shape), its in figures.items():
        line = [placement, of_shape(shape)]
        for it in its.values():
            line += [f"{it['rate'] / 1e3:,.1f}", f"{it['cpu_ns']:,.0f}"]
            line += [f"{it[key] / 1e3:,.1f}" for key in ("p50_ns", "p99_ns")]
        lines.append(line)
    table(columns, lines)


def print_targets(figures):
    lines = []
    for placement in placements():
        ours, peer = ours_and_best(figures[placement, RATE_SHAPE], "rate", max)
        is_met = ours / peer >= RATE_RATIO_MIN
        line = [f"thousand/s at {of_shape(RATE_SHAPE)}, {placement}", f"{ours / 1e3:,.1f}", f"{peer / 1e3:,.1f}"]
        lines.append([*line, ratio(ours / peer), f"≥ {RATE_RATIO_MIN}", verdict(is_met)])
        ours, peer = ours_and_best(figures[placement, P50_SHAPE], "p50_ns", min)
        is_met = ours / peer <= P50_RATIO_MAX
        line = [f"p50 µs at {of_shape(P50_SHAPE)}, {placement}", f"{ours / 1e3:,.1f}", f"{peer / 1e3:,.1f}"]
        lines.append([*line, ratio(ours / peer), f"≤ {P50_RATIO_MAX}", verdict(is_met)])
    table(["over gRPC", "ours", "best of C++", "ours ÷ C++", "target", "met"], lines)


def ours_and_best(its, key, best):
    return its["ours"][key], best(its[way][key] for way in WAYS)


def of_shape(shape):
    return f"{shape[0]} × {shape[1]}"
