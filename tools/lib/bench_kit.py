"""What the parts of the bench share: a store filled through the socket, the load generator, cores, memory."""

import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import time

import bench_data
from rollcall_daemon import ROOT, Daemon, ToolError

FILL_CALLS = 512
LOAD_SECONDS_MAX = 900
# Compiled as one, so that its protocols cost no calls between its files.
LOADGEN_NEEDS = ["loadgen_ttrpc.c", "loadgen_grpc.c", "loadgen_hpack.c", "-flto"]


class Settings:
    def __init__(self, is_quick):
        self.is_quick = is_quick
        self.count = 50_000 if is_quick else 1_000_000
        self.seconds = 0.3 if is_quick else 2.0
        self.runs = 1 if is_quick else 3


def compile_c(folder, name, *arguments):
    """Compiles a program of `tools/bench-src` from the file of its name, and what else it needs."""
    return run_compiler("cc", folder, name, f"{name}.c", *arguments)


def compile_cc(folder, name, *arguments):
    """As `compile_c`, of C++."""
    return run_compiler("c++", folder, name, f"{name}.cc", *arguments)


def run_compiler(compiler, folder, name, *arguments):
    sources = ROOT / "tools" / "bench-src"
    words = [str(sources / word) if word.endswith((".c", ".cc")) else word for word in arguments]
    if subprocess.run([compiler, "-O2", "-o", str(folder / name), *words]).returncode:
        raise ToolError(f"{arguments[0]} does not compile; the compiler's words are above")
    return folder / name


def package_flags(package):
    """What the compiler must be told to use a library."""
    run = subprocess.run(["pkg-config", "--cflags", "--libs", package], stdout=subprocess.PIPE)
    if run.returncode:
        raise ToolError(f"pkg-config does not know {package}; its own words are above")
    return run.stdout.decode().split()


def placements():
    """Name to the cores of server and client."""
    cores = sorted(os.sched_getaffinity(0))
    return {"one core": (cores[0], cores[0])} | ({"two cores": (cores[0], cores[-1])} if len(cores) > 1 else {})


def pin(pid, *cores, must_be_there=True):
    words = ["taskset", "-a", "-c", "-p", ",".join(map(str, cores)), str(pid)]
    subprocess.run(words, check=must_be_there, stdout=subprocess.DEVNULL)


def unpin(pid):
    pin(pid, *sorted(os.sched_getaffinity(0)), must_be_there=False)


def cpu_ns(pid):
    """CPU time of a process, with that of ended threads: its own clock, numbered as in the kernel's headers."""
    return time.clock_gettime_ns(~pid << 3 | 2)


@contextlib.contextmanager
def fixed_server(folder, name, socket_name, *arguments):
    """Runs a compiled server that answers fixed bytes; its socket, and the id of its process."""
    path = folder / socket_name
    words = ["setpriv", "--pdeathsig", "KILL", folder / name, path, *arguments]
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL)
    try:
        while not is_served(path):
            if process.poll() is not None:
                raise ToolError(f"{name} ended with {process.returncode}; its own words are above")
            time.sleep(0.001)
        yield path, process.pid
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)


def is_served(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def rss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ToolError(f"process {pid} has no memory to speak of")


class Kit:
    def __init__(self, folder, programs, settings):
        self.folder, self.programs, self.settings = folder, programs, settings
        self.daemon = Daemon(programs, folder)
        self.schema = self.daemon.schema
        self.results = {}
        compile_c(folder, "loadgen", *LOADGEN_NEEDS)

    def write_frames(self, name, frames):
        path = self.folder / name
        bench_data.write_chunks(path, frames)
        return path

    def load(self, path, pid, frames, shape, seconds, client_core=None, protocol="ttrpc", rate=None):
        """Runs the load generator once, at its own pace or at a rate; adds the server's CPU to what it printed."""
        command = ["taskset", "-c", str(client_core)] if client_core is not None else []
        command += [self.folder / "loadgen", protocol, path, frames, *shape, seconds]
        command += [rate] if rate else []
        cpu_before = cpu_ns(pid)
        run = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, timeout=LOAD_SECONDS_MAX)
        if run.returncode:
            raise ToolError(f"the load generator failed on {frames.name} over {protocol}: {self.daemon.last_words()}")
        figures = json.loads(run.stdout)
        if figures["refused"]:
            raise ToolError(f"{figures['refused']:,} of {figures['count']:,} calls of {frames.name} were refused")
        figures["rate"] = figures["count"] / figures["seconds"]
        figures["cpu_ns"] = (cpu_ns(pid) - cpu_before) / figures["count"]
        return figures

    def fill(self):
        """Creates and checks in every device through the socket, in their order: so each gets its id."""
        self.daemon.start()
        with self.daemon.connect() as connection:
            for slug in bench_data.COHORTS[1:]:
                name = slug.decode()
                connection.call("rollcall.v1.Projects/CreateCohort", {"cohort": {"slug": name, "name": name}})
        empty = rss_bytes(self.daemon.pid)
        count, rates = self.settings.count, {}
        for name, frames in {
            "CreateDevice": bench_data.creates(self.schema, count),
            "CheckIn": bench_data.check_ins(self.schema, count),
        }.items():
            path = self.write_frames(name, frames)
            rates[name] = self.load(self.daemon.socket, self.daemon.pid, path, (1, FILL_CALLS), 0)["rate"]
            path.unlink()
        self.results["fill"] = {
            "devices": count,
            "rates": rates,
            "rss_empty": empty,
            "rss_filled": rss_bytes(self.daemon.pid),
        }


def medians(runs, keys):
    return {key: statistics.median(run[key] for run in runs) for key in keys}
