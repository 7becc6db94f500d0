"""Builds the release programs and runs a private daemon, for the tools."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from rollcall_wire import Connection, Schema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30
FOREIGN_VARIABLES = ("ROLLCALL_", "LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_")


class ToolError(Exception):
    """Something that whoever runs the tool can act on, as a sentence."""


def build_release(products=("rollcalld", "rollcall"), set_up="set_up gcc"):
    """Sets this machine up, builds for release, and returns the folder of the programs."""
    script = 'root=$1; shift; . "$root/tools/lib/setup.sh"; { %s; build_release "$@"; } >&2; echo "$bin"' % set_up
    words = ["bash", "-ec", script, "setup", str(ROOT), *products]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if run.returncode:
        raise ToolError("the programs could not be built; the reason is above")
    return pathlib.Path(run.stdout.decode().strip())


@contextlib.contextmanager
def scratch_folder():
    """A folder that goes at the end, with a path short enough for a socket."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Daemon:
    """A rollcalld with its socket, data and log in one folder."""

    def __init__(self, programs, folder, cores=None):
        self.schema = Schema.load(ROOT / "proto")
        self.folder = folder
        self.socket = folder / "s"
        self.log = folder / "log"
        self.process = None
        # Should this process be killed, the daemon goes with it.
        self.command = ["setpriv", "--pdeathsig", "KILL"] + (["taskset", "-c", cores] if cores else [])
        self.command += [str(programs / "rollcalld"), "--socket", str(self.socket), "--data", str(folder / "data")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def pid(self):
        return self.process.pid

    def launch(self):
        """Starts the process and waits for nothing."""
        self.spawn(self.command)

    def spawn(self, command, variables=None, descriptors=()):
        """Starts the process as `command`, with further variables, and lets it have `descriptors`."""
        # What the caller's environment says of another daemon or service manager is not for this one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)}
        environment["SWIFT_BACKTRACE"] = "enable=no"
        environment.update(variables or {})
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C is for the tool, which then ends the daemon.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
                pass_fds=descriptors,
            )

    def start(self):
        """Starts the process and returns the seconds until it answered its first call."""
        began = time.monotonic()
        self.launch()
        while True:
            if self.process.poll() is not None:
                raise ToolError(f"rollcalld ended with {self.process.returncode} at its start: {self.last_words()}")
            try:
                with self.connect() as connection:
                    connection.call("rollcall.v1.Server/GetServerInfo", {})
                return time.monotonic() - began
            except OSError:
                if time.monotonic() - began > START_SECONDS_MAX:
                    raise ToolError(f"rollcalld did not answer within {START_SECONDS_MAX} s: {self.last_words()}")
                time.sleep(0.001)

    def connect(self, timeout_seconds=30):
        return Connection(self.schema, self.socket, timeout_seconds)

    def kill(self):
        """SIGKILL: no warning, no clean-up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """SIGTERM, as an operator stops it; it must drain and exit with status 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise ToolError(f"rollcalld did not end within {STOP_SECONDS_MAX} s of SIGTERM: {self.last_words()}")
        self.process = None
        if status:
            raise ToolError(f"rollcalld ended with {status} after SIGTERM: {self.last_words()}")

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"
