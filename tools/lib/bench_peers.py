"""Who answers the bench's queries, each by a name: programs that take a line and print a line, and the daemon."""

import contextlib
import json
import os
import subprocess

from bench_kit import compile_c, package_flags
from rollcall_daemon import ToolError
from rollcall_wire import request_frame

LIST, COUNT = "rollcall.v1.Devices/ListDevices", "rollcall.v1.Devices/CountDevices"


class Program:
    """A program that is asked by lines and answers each with a line of JSON; see `peer.c`."""

    def __init__(self, name, *command, core=None, environment=None):
        self.name = name
        # Should this process be killed, the program goes with it.
        words = ["setpriv", "--pdeathsig", "KILL"] + (["taskset", "-c", str(core)] if core is not None else [])
        self.process = subprocess.Popen(
            words + [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, *words):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        return self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise ToolError(f"{self.name} ended with {self.process.wait()}; its own words are above")
        return json.loads(line)


def compile_peer(folder, name):
    """The C program of a peer."""
    if name == "limit":
        return compile_c(folder, name, "peer.c", "rows.c", "fleet.c", "-O3", "-march=native")
    return compile_c(folder, name, "peer.c", *package_flags({"sqlite": "sqlite3", "postgres": "libpq"}[name]))


class Caller:
    """Asks the daemon through its socket."""

    def __init__(self, kit, sets):
        self.kit, self.sets = kit, sets
        self.frames = {}

    def answers(self, name):
        """Every answer as the programs give it; remembers the requests, which are what is timed."""
        answers, frames = [], []
        with self.kit.daemon.connect() as connection:
            for query in self.sets[name]:
                if query.kind == "list":
                    method, request = LIST, query.list_request()
                    if query.after:
                        before = connection.call(LIST, request | {"page": query.page - 1})
                        request["page_token"] = before["next_page_token"]
                    reply = connection.call(LIST, request)
                    answers.append([device["id"] for device in reply.get("devices", [])])
                else:
                    method, request = COUNT, query.count_request()
                    reply = connection.call(COUNT, request)
                    answers.append(groups(reply) if query.kind == "group" else [reply.get("count", 0)])
                frames.append(request_frame(self.kit.schema, 1, method, request))
        self.frames[name] = self.kit.write_frames(f"query-{name}", iter(frames))
        return answers

    def time(self, name, seconds, core):
        daemon = self.kit.daemon
        return self.kit.load(daemon.socket, daemon.pid, self.frames[name], (1, 1), seconds, core)


def groups(reply):
    return [[group["values"][0].get("string_value"), group["count"]] for group in reply.get("groups", [])]
