"""Calls a rollcalld over gRPC with stock grpcio, for tools/interop, and prints a line for each group of checks.

usage: suite.py --socket PATH --pid NUMBER --stubs FOLDER --root FOLDER [GROUP]...

A line is of tab-separated fields: `group`, its name, what it holds, how many checks it made, how many seconds it took;
before it, for each check that failed, `problem`, the group and a sentence. The group `drain` ends the daemon.
"""

import argparse
import importlib
import pathlib
import sys
import time
import traceback

import grpc

GROUPS = (
    "devices",
    "batches",
    "lists",
    "bulk",
    "watch",
    "projects",
    "server",
    "errors",
    "calls",
    "health",
    "reflection",
    "load",
    "cancel",
    "coverage",
    "drain",
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--pid", required=True, type=int)
    parser.add_argument("--stubs", required=True)
    parser.add_argument("--root", required=True, type=pathlib.Path)
    parser.add_argument("groups", nargs="*")
    arguments = parser.parse_args()
    sys.path[:0] = [arguments.stubs, str(arguments.root / "tools/lib")]
    kit = importlib.import_module("kit")
    schema = importlib.import_module("rollcall_wire").Schema.load(arguments.root / "proto")
    server = kit.Server(arguments.socket, arguments.pid, schema)
    for name in arguments.groups or GROUPS:
        run_group(name, server, kit.Checks())
    return 0


def run_group(name, server, checks):
    """Runs one group; what it raises is a problem like any other."""
    module = importlib.import_module(f"{name}_checks")
    began = time.monotonic()
    try:
        module.run(server, checks)
    except Exception as error:
        checks.problems.append(f"{place(error)} ended the group: {said(error)}")
    for problem in checks.problems:
        report("problem", name, problem)
    summary = " ".join(module.__doc__.split("\n\n")[0].split()).rstrip(".")
    report("group", name, summary, checks.count, f"{time.monotonic() - began:.1f}")


def place(error):
    """Where in the checks it happened, rather than in a library below them."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((frame for frame in reversed(frames) if frame.filename.endswith("_checks.py")), frames[-1])
    return f"{pathlib.Path(frame.filename).name}:{frame.lineno}"


def said(error):
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}"


def report(*fields):
    print("\t".join(str(field).replace("\t", " ").replace("\n", " ") for field in fields), flush=True)


if __name__ == "__main__":
    sys.exit(main())
