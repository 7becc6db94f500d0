"""The cases of tools/storm: which client misbehaves how, what the daemon may take meanwhile, and what is measured."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time

import bench_data
from bench_kit import pin, rss_bytes
from rollcall_daemon import ToolError
from rollcall_wire import request_frame

CLIENT = pathlib.Path(__file__).resolve().parent / "storm_client.py"
RATIO_MAX = 3.0
# Calls a second of each caller beside the storm.
RATES = {"GetDevice": 1000, "CheckIn": 200}
WINDOW = 1024
# The storm begins once the callers are at it.
LEAD_SECONDS = 0.3
# So long it takes until ten thousand connections are made, or a thousand have been given what they leave unread.
ARRIVAL_SECONDS = 6.0
SETTLE_SECONDS_MAX = 20
SPARE_DESCRIPTORS = 200
MIB = 1 << 20
# What may be left of a storm: what the allocator keeps for the next one.
REMAINDER_BYTES = 32 * MIB
REMAINDER_DESCRIPTORS = 8

IDLE_CONNECTION_BYTES = 24 << 10
# All queued output together, and as much again for what is being built and for buffers that are let go of whole.
QUEUED_OUTPUT_BYTES = 2 * 256 * MIB
SLOW_CONNECTION_BYTES = 128 << 10
STORM_BYTES = 64 * MIB


class Case:
    def __init__(self, kind, count, bytes_max, frames="idle", descriptors=None, stops=False, lets_in=True):
        self.kind, self.count, self.bytes_max, self.frames = kind, count, bytes_max, frames
        self.descriptors, self.stops = descriptors, stops
        # Whether others connect beside it as always: who comes with a storm of connections waits with them.
        self.lets_in = lets_in


CASES = {
    "idle": Case("idle", 10_000, 10_000 * IDLE_CONNECTION_BYTES),
    "slow": Case("slow", 1_000, 1_000 * SLOW_CONNECTION_BYTES + QUEUED_OUTPUT_BYTES, frames="slow"),
    "connect": Case("churn", 1, STORM_BYTES, lets_in=False),
    "garbage": Case("garbage", 1, STORM_BYTES, lets_in=False),
    "descriptors": Case("silent", 500, STORM_BYTES, descriptors=100, lets_in=False),
    "stopped": Case("slow", 8, QUEUED_OUTPUT_BYTES, frames="stopped", stops=True),
}


class Outcome:
    """What one measurement of a case found."""

    def __init__(self, name, what, quiet, arriving, stormy, memory, bound, complaints, judges_times):
        self.complaints = list(complaints)
        before, most, after = memory
        if most - before > bound:
            self.complaints.append(f"memory grew by {(most - before) / MIB:,.0f} MiB")
        rows = []
        for call in RATES:
            ratio = stormy[call] / quiet[call]
            if judges_times and ratio > RATIO_MAX:
                self.complaints.append(f"{call} takes {ratio:.1f} times as long")
            rows.append(
                f"| {name}: {what} | {call} | {quiet[call] / 1e6:,.2f} | {arriving[call] / 1e6:,.2f} "
                f"| {stormy[call] / 1e6:,.2f} | {ratio:.1f} "
                f"| {before / MIB:,.0f} → {most / MIB:,.0f} → {after / MIB:,.0f} | + {bound / MIB:,.0f} "
            )
        self.is_met = not self.complaints
        self.why_not = ", ".join(self.complaints)
        self.rows = "\n".join(f"{row}| {'yes' if self.is_met else 'no'} |" for row in rows)


class Client:
    """A process that misbehaves."""

    def __init__(self, ground, case, count):
        words = [sys.executable, CLIENT, case.kind, ground.daemon.socket, count, ground.frames[case.frames]]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        pin(self.process.pid, max(os.sched_getaffinity(0)))
        self.stops = case.stops
        self.is_ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        if self.process.stdout.readline().startswith(b"ready"):
            if self.stops:
                self.process.send_signal(signal.SIGSTOP)
            self.is_ready.set()

    def end(self):
        """Ends it and returns what it did."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.reader.join()
        last = self.process.stdout.read()
        if self.process.wait() or not last:
            raise ToolError("the client that makes the storm failed; its own words are above")
        return json.loads(last)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Ground:
    """Where storms are let loose: a filled daemon, and what callers and storms send it."""

    HEADING = (
        f"p99 in ms of calls beside each storm, against their quiet value; at most {RATIO_MAX:.0f} times that\n\n"
        "| storm | call | quiet | while it comes | beside it | ratio | memory before → most → after, MiB | bound | met |\n"
        "|---|---|--:|--:|--:|--:|--:|--:|---|"
    )

    def __init__(self, kit, judges_times):
        self.kit, self.daemon, self.settings, self.judges_times = kit, kit.daemon, kit.settings, judges_times
        count = kit.settings.count
        self.calls = {
            "GetDevice": kit.write_frames("Get", bench_data.gets(kit.schema, count)),
            "CheckIn": kit.write_frames("CheckIn", bench_data.present_check_ins(kit.schema, count)),
        }
        self.frames = {
            "idle": self.write("idle", [("rollcall.v1.Server/GetServerInfo", {})]),
            "slow": self.write("slow", [LONG_LIST, *STREAMS]),
            "stopped": self.write("stopped", [*[LONG_LIST] * 32, *STREAMS, *[CHECK_IN] * 100]),
        }

    def write(self, name, calls):
        frames = [
            request_frame(self.kit.schema, 2 * number + 1, method, request)
            for number, (method, request) in enumerate(calls)
        ]
        path = self.kit.folder / f"{name}.frames"
        path.write_bytes(b"".join(frames))
        return path

    def measure(self, name):
        case = CASES[name]
        count = min(case.count, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_DESCRIPTORS)
        quiet, arriving, stormy, memory, complaints, did = [], [], [], [], [], {}
        for _ in range(self.settings.runs):
            quiet.append(self.call())
            before = self.state()
            figures, most, did, findings = self.call_beside(case, count)
            arriving.append(figures[0])
            stormy.append(figures[1])
            complaints += findings
            after = self.settle(before)
            memory.append((before.bytes, most, after.bytes))
            complaints += after.complaints(before)
        what = f"{count:,} of {case.count:,}" if count < case.count else ""
        what = ", ".join([what] * bool(what) + [f"{number:,} {words}" for words, number in did.items()])
        middle = [
            {call: statistics.median(run[call] for run in runs) for call in RATES} for runs in (quiet, arriving, stormy)
        ]
        figures = [statistics.median(run[place] for run in memory) for place in range(3)]
        bound = case.bytes_max * count / case.count
        return Outcome(name, what, *middle, figures, bound, dict.fromkeys(complaints), self.judges_times)

    def call(self, seconds=None):
        """p99 of each call, by both callers at once."""
        with concurrent.futures.ThreadPoolExecutor(len(RATES)) as pool:
            runs = {call: pool.submit(self.load, call, seconds or self.settings.seconds) for call in RATES}
            return {call: run.result()["p99_ns"] for call, run in runs.items()}

    def call_twice(self, case):
        """p99 of each call while a storm comes up and once it is on; one and the same where it never ceases to come."""
        first, second = LEAD_SECONDS + ARRIVAL_SECONDS, 2 * self.settings.seconds
        if case.lets_in:
            return self.call(first), self.call(second)
        return (self.call(max(first, second)),) * 2

    def load(self, call, seconds):
        core = min(os.sched_getaffinity(0))
        return self.kit.load(
            self.daemon.socket, self.daemon.pid, self.calls[call], (1, WINDOW), seconds, core, rate=RATES[call]
        )

    def call_beside(self, case, count):
        """p99 while the storm comes up and once it is on, the most memory, what its client did, and what was wrong."""
        findings = []
        with concurrent.futures.ThreadPoolExecutor(1) as pool, self.few_descriptors(case):
            calls = pool.submit(self.call_twice, case)
            time.sleep(LEAD_SECONDS)
            client = Client(self, case, count)
            try:
                most = 0
                while not calls.done():
                    most = max(most, rss_bytes(self.daemon.pid))
                    time.sleep(0.02)
                figures = calls.result()
                if not client.is_ready.is_set():
                    findings.append("the storm was not on while calls were measured")
                did = client.end()
            finally:
                client.kill()
        if case.descriptors and "accept failed" not in self.daemon.log.read_text(errors="replace"):
            findings.append("the daemon never ran out of descriptors")
        self.answer()
        return figures, most, did, findings

    @contextlib.contextmanager
    def few_descriptors(self, case):
        if not case.descriptors:
            yield
            return
        limits = resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (case.descriptors, limits[1]))
        try:
            yield
        finally:
            resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, limits)

    def answer(self):
        """The daemon lives, and takes and serves a new connection."""
        with self.daemon.connect() as connection:
            connection.call("rollcall.v1.Server/GetServerInfo", {})

    def state(self):
        return State(rss_bytes(self.daemon.pid), len(os.listdir(f"/proc/{self.daemon.pid}/fd")))

    def settle(self, before):
        """Waits until what the storm took is given back, or for as long as it may take."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while (state := self.state()).complaints(before) and time.monotonic() < deadline:
            time.sleep(0.1)
        return state


class State:
    """What a daemon has of its machine."""

    def __init__(self, byte_count, descriptors):
        self.bytes, self.descriptors = byte_count, descriptors

    def complaints(self, before):
        found = []
        if self.bytes > before.bytes + REMAINDER_BYTES:
            found.append(f"{(self.bytes - before.bytes) / MIB:,.0f} MiB were not given back")
        if self.descriptors > before.descriptors + REMAINDER_DESCRIPTORS:
            found.append(f"{self.descriptors - before.descriptors} descriptors were not given back")
        return found


LONG_LIST = ("rollcall.v1.Devices/ListDevices", {"page_size": 1000})
STREAMS = [("rollcall.v1.Devices/ExportDevices", {}), ("rollcall.v1.Devices/WatchDevices", {"project": "default"})]
CHECK_IN = (
    "rollcall.v1.Devices/CheckIn",
    {"device_serial": bench_data.serial(0).decode(), "release": {"version": "version01"}},
)
