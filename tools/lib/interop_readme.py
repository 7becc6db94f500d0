"""Runs the examples of README.md as they are written: the sections "Call it from …".

The fenced blocks of a section are taken in order, in a folder of its own where `path/to/rollcall` is this checkout:

  ```sh        commands, run together; they must succeed
  ```python    and other languages: a file, whose name stands before it as `name.py`:
  ```text      what the commands before it print
  ```console   commands after `$ `, each followed by what it prints

Each section has a daemon of its own with the devices of tools/sample-devices.csv. Times and etags differ from run to
run, and everything else must be as it is written.
"""

import contextlib
import csv
import os
import re
import signal
import subprocess
import time

from interop_environment import Unreachable
from rollcall_daemon import ROOT, Daemon, scratch_folder

COMMAND_SECONDS_MAX = 400
# Section → what it needs installed.
SECTIONS = {
    "Call it from Python": "python",
    "Call it from Go": "go",
    "Call it from a shell": None,
    "Call it from Swift": None,
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"`([\w./]+)`:\s*$")
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-\d+\b"), "ETAG"),
)


class Mismatch(Exception):
    """An example that does not do what the README says, as a sentence."""


def run(environment, programs, tally):
    text = (ROOT / "README.md").read_text()
    for title, needs in SECTIONS.items():
        section = section_of(text, title)
        if section is None:
            tally.skip(f"readme, {title}", "README.md has no such section")
            continue
        try:
            install(environment, needs)
        except Unreachable as reason:
            tally.skip(f"readme, {title}", reason)
            continue
        began = time.monotonic()
        try:
            with scratch_folder() as folder, Daemon(programs, folder) as daemon:
                daemon.start()
                load_sample(daemon)
                count = follow(section, Guide(environment, programs, folder, daemon))
                daemon.stop()
        except Mismatch as problem:
            tally.problem("readme", title, "does what it says", str(problem))
        else:
            effort = f"{count} blocks, {time.monotonic() - began:.1f} s"
            tally.group("readme", title, "does what it says", effort)


def install(environment, needs):
    if needs == "python":
        environment.install_python()
    elif needs == "go":
        environment.install_go()


def section_of(text, title):
    """The text under a heading, up to the next one of its level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found and found.group(1)


def load_sample(daemon):
    """The devices that tools/run loads, in its order and thus with its ids."""
    now = int(time.time())
    with daemon.connect() as connection, open(ROOT / "tools/sample-devices.csv", newline="") as file:
        for slug, name in (("beta", "Beta channel"), ("lab", "Test lab")):
            connection.call("rollcall.v1.Projects/CreateCohort", {"cohort": {"slug": slug, "name": name}})
        for row in csv.DictReader(file):
            device = {"device_serial": row["device_serial"], "owner_ref": row["owner_ref"]}
            device |= {"hardware_version": row["hardware_version"], "cohort": {"slug": row["cohort"]}}
            connection.call("rollcall.v1.Devices/CreateDevice", {"device": device})
            if row["seen_minutes_ago"]:
                check_in = {
                    "device_serial": row["device_serial"],
                    "time": {"seconds": now - int(row["seen_minutes_ago"]) * 60},
                    "release": {"version": row["release"], "revision": row["revision"]},
                    "attributes": [{"string_key": "battery", "value": {"int_value": int(row["battery"])}}],
                }
                connection.call("rollcall.v1.Devices/CheckIn", check_in)


class Guide:
    """Does what a section says, in a folder of its own."""

    def __init__(self, environment, programs, folder, daemon):
        self.folder = folder / "example"
        (self.folder / "path/to").mkdir(parents=True)
        (self.folder / "path/to/rollcall").symlink_to(ROOT)
        self.variables = environment.variables()
        self.variables["PATH"] = f"{programs}:{self.variables['PATH']}"
        self.variables["ROLLCALL_ADDRESS"] = str(daemon.socket)
        self.printed = ""

    def shell(self, commands):
        """Runs commands and returns their status and what they print on either stream, as a reader would see it."""
        process = subprocess.Popen(
            ["bash", "-c", f"set -eu -o pipefail\n{commands}"],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Mismatch(f"{first_line(commands)} … did not end within {COMMAND_SECONDS_MAX} s")
        finally:
            # Whatever the commands started goes with them.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, printed

    def run_commands(self, commands):
        status, self.printed = self.shell(commands)
        if status:
            raise Mismatch(f"{first_line(commands)} … ended with {status}: {self.printed.strip()[-600:]}")

    def run_console(self, session):
        """A command that fails on purpose shows its message, so only the output is compared."""
        for entry in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            command, _, expected = entry.partition("\n")
            _, printed = self.shell(command)
            compare(command, printed, expected)


def follow(section, guide):
    """Takes the blocks in order; returns how many there were."""
    count = 0
    for fence in FENCE.finditer(section):
        language, body = fence.groups()
        count += 1
        if language == "sh":
            guide.run_commands(body)
        elif language == "console":
            guide.run_console(body)
        elif language == "text":
            # Tools that fetch and build say so first; the program's own words come last.
            lines = len(body.splitlines())
            compare("the commands before it", "\n".join(guide.printed.splitlines()[-lines:]), body)
        else:
            named = FILE_NAME.search(section[: fence.start()])
            if not named:
                raise Mismatch(f"the block that begins with {first_line(body)} has no file name before it")
            file = guide.folder / named.group(1)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body)
    if not count:
        raise Mismatch("it has no fenced block")
    return count


def compare(what, printed, expected):
    have, want = unvaried(printed), unvaried(expected)
    if have != want:
        raise Mismatch(f"{what} printed {have!r}, and the README says {want!r}")


def unvaried(text):
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def first_line(text):
    return repr(text.strip().partition("\n")[0])
