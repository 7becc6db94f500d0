"""The two suites of tools/interop: generates their stubs, runs them beside a daemon, and reads what they print."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time

from rollcall_daemon import ROOT, Daemon, ToolError, scratch_folder

SOURCES = ROOT / "tools/interop-src"
SUITE_SECONDS_MAX = 150
BUILD_SECONDS_MAX = 400
PROBLEMS_SHOWN_MAX = 10
GO_MODULE = "rollcall.test/interop"


class Tally:
    """Prints a line for each group and counts them."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.problems = {}

    def line(self, part, text):
        """Takes a line of a suite: `problem`, `group` or `skip`, and its fields."""
        kind, name, *fields = text.rstrip("\n").split("\t")
        if kind == "problem":
            self.problems.setdefault((part, name), []).append(fields[0])
        elif kind == "skip":
            self.skip(f"{part}, {name}", fields[0])
        elif kind == "group":
            summary, count, seconds = fields
            self.group(part, name, summary, f"{count} checks, {seconds} s")

    def group(self, part, name, summary, effort):
        problems = self.problems.pop((part, name), [])
        self.failed, self.passed = self.failed + bool(problems), self.passed + (not problems)
        print(f"{'FAILED' if problems else 'ok':<7}{part:<8}{name}: {summary} ({effort})", flush=True)
        for problem in problems[:PROBLEMS_SHOWN_MAX]:
            print(f"         {problem}", flush=True)
        if len(problems) > PROBLEMS_SHOWN_MAX:
            print(f"         and {len(problems) - PROBLEMS_SHOWN_MAX} more", flush=True)

    def problem(self, part, name, summary, problem):
        self.problems.setdefault((part, name), []).append(problem)
        self.group(part, name, summary, "did not end")

    def skip(self, what, reason):
        self.skipped += 1
        print(f"skipped {what}: {reason}.", flush=True)


def run_python(environment, programs, tally):
    """Every group over gRPC with grpcio; the last one ends the daemon, which must exit with 0."""
    stubs = environment.folder / "python-stubs"
    protoc(environment, stubs, ["--python_out", str(stubs), "--grpc_python_out", str(stubs)], with_status=True)
    with scratch_folder() as folder, Daemon(programs, folder) as daemon:
        daemon.start()
        words = [str(environment.python), str(SOURCES / "python/suite.py"), "--socket", str(daemon.socket)]
        words += ["--pid", str(daemon.pid), "--stubs", str(stubs), "--root", str(ROOT)]
        ended = run_suite("python", words, environment, tally)
        if ended and daemon.process.poll() is not None:
            tally.problems.setdefault(("python", "exit"), [])
            if daemon.process.returncode:
                tally.problems["python", "exit"].append(f"status {daemon.process.returncode}: {daemon.last_words()}")
            tally.group("python", "exit", "the drained daemon exits with status 0", "1 check")


def run_go(environment, programs, tally):
    """Every group over ttrpc and gRPC with the stock Go clients."""
    suite = build_go(environment)
    with scratch_folder() as folder, Daemon(programs, folder) as daemon, echo_server(programs, folder) as echo:
        daemon.start()
        words = [str(suite), "--socket", str(daemon.socket), *(["--echo", str(echo)] if echo else [])]
        if run_suite("go", words, environment, tally):
            daemon.stop()


def run_suite(part, words, environment, tally):
    """Runs a suite and reads its lines; false if it did not end well, which then counts as failed."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *words],
        env=environment.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    timer = threading.Timer(SUITE_SECONDS_MAX, process.kill)
    reader.start()
    timer.start()
    try:
        for line in process.stdout:
            tally.line(part, line)
        status = process.wait()
    finally:
        timer.cancel()
        process.kill()
    reader.join(5)
    if status:
        said = errors[-1].strip() if errors else f"it was ended after {SUITE_SECONDS_MAX} s"
        tally.problem(part, "suite", "the suite itself", f"status {status}: {said}")
    return status == 0


def protoc(environment, folder, outputs, with_status=False):
    """Generates code from the published files into `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    proto = ROOT / "proto"
    packages = ["rollcall/v1"] + (["google/rpc"] if with_status else [])
    files = [str(path.relative_to(proto)) for package in packages for path in sorted((proto / package).glob("*.proto"))]
    finish(["protoc", "-I", str(proto), *outputs, *files], environment, folder, "the stubs were not generated")


def build_go(environment):
    """Generates the stubs, builds the suite, and returns the program."""
    folder = environment.folder / "go-suite"
    files = sorted((ROOT / "proto/rollcall/v1").glob("*.proto"))
    outputs = ["--go-ttrpc_opt=prefix=TTRPC"]
    for plugin in ("go", "go-grpc", "go-ttrpc"):
        outputs += [f"--{plugin}_out={folder}", f"--{plugin}_opt=module={GO_MODULE}"]
        outputs += [f"--{plugin}_opt=Mrollcall/v1/{file.name}={GO_MODULE}/rollcallpb" for file in files]
    protoc(environment, folder, outputs)
    for path in (SOURCES / "go").glob("*.go"):
        shutil.copy(path, folder)
    for words in (["mod", "init", GO_MODULE], ["mod", "tidy"], ["build", "-o", "suite", "."]):
        finish(["go", *words], environment, folder, f"go {words[0]} failed")
    return folder / "suite"


def finish(words, environment, folder, what):
    """Runs a command to its end, or ends with a sentence."""
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment.variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{what} within {BUILD_SECONDS_MAX} s")
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise ToolError(f"{what}; the reason is above")


@contextlib.contextmanager
def echo_server(programs, folder):
    """The test server's socket while it serves; nothing where it was not built."""
    program, socket = programs / "EchoServer", folder / "e"
    if not program.exists():
        yield None
        return
    server = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", str(program), str(socket)], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while not (socket.exists() and os.path.exists(f"{socket}.grpc")):
            if server.poll() is not None or time.monotonic() > deadline:
                raise ToolError("the test server did not listen within 20 s")
            time.sleep(0.01)
        yield socket
    finally:
        server.stdin.close()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
