"""The bench's part on imports and exports: files in and out, and messages to a client that counts them."""

import os
import socket
import statistics
import subprocess
import time

import bench_data
from bench_databases import POSTGRES_INDEXES, Postgres, postgres_folder, run_sqlite
from bench_kit import cpu_ns
from rollcall_daemon import Daemon, ToolError
from rollcall_wire import request_frame

EXPORT = "rollcall.v1.Devices/ExportDevices"
HEADER = (
    "device_serial,owner_ref,hardware_version,cohort,last_seen,last_seen_release_version,last_seen_release_revision\n"
)
TARGETS = {"import": 0.5, "NDJSON": 2.0, "messages": 0.8}
READ_BYTES = 1 << 20
FRAME_HEADER_BYTES, FRAME_DATA, FLAG_REMOTE_CLOSED = 10, 3, 1

POSTGRES_TABLE = """
    SET client_min_messages = warning;
    DROP TABLE IF EXISTS device;
    CREATE TABLE device (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device_serial text UNIQUE, owner_ref text,
        hardware_version text, cohort text, last_seen timestamptz, release_version text, release_revision text
    );
"""
COLUMNS = "device_serial, owner_ref, hardware_version, cohort, last_seen, release_version, release_revision"
SQLITE_TABLE = """
    CREATE TABLE device (
        device_serial TEXT UNIQUE, owner_ref TEXT, hardware_version TEXT, cohort TEXT, last_seen TEXT,
        release_version TEXT, release_revision TEXT
    );
    CREATE INDEX seen ON device (last_seen);
    CREATE INDEX owner ON device (owner_ref);
    CREATE INDEX hardware ON device (hardware_version);
    CREATE INDEX release ON device (release_version);
"""


def write_csv(path, count):
    with open(path, "w") as file:
        file.write(HEADER)
        for serial, owner, hardware, cohort, seen, release in bench_data.fleet(count):
            time_text = "" if seen is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seen))
            version, revision = (b"", b"") if release is None else release
            texts = [text.decode() for text in (serial, owner, hardware, cohort)]
            file.write(",".join([*texts, time_text, version.decode(), revision.decode()]) + "\n")


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def bulk(kit):
    folder = kit.folder / "bulk"
    folder.mkdir()
    file = folder / "devices.csv"
    write_csv(file, kit.settings.count)
    seconds = rollcall(kit, folder, file)
    seconds |= sqlite(folder, file)
    if postgres_folder():
        seconds |= postgres(file, kit.settings.runs)
    kit.results["bulk"] = seconds
    print_tables(seconds, kit.settings.count)


def run(*words, output=os.devnull):
    with open(output, "wb") as file:
        done = subprocess.run([str(word) for word in words], stdout=file, stderr=subprocess.PIPE)
    if done.returncode:
        raise ToolError(f"{words[1]} failed: {done.stderr.decode().strip()}")


def rollcall(kit, folder, file):
    """Seconds that each takes, and seconds of CPU that the daemon takes for it."""
    seconds = {}
    client = kit.programs / "rollcall"
    for number in range(kit.settings.runs):
        own = folder / f"run{number}"
        own.mkdir()
        with Daemon(kit.programs, own) as daemon:
            daemon.start()
            address, messages = ["--address", daemon.socket], []
            actions = {
                "import": lambda: run(client, "import", "--create-cohorts", file, *address),
                "NDJSON": lambda: run(client, "export", *address, output=own / "devices.ndjson"),
                "CSV": lambda: run(client, "export", "--output", "csv", *address, output=own / "devices.csv"),
                "messages": lambda: messages.extend(read_messages(kit, daemon)),
            }
            for name, action in actions.items():
                before = cpu_ns(daemon.pid)
                seconds.setdefault(f"rollcall {name}", []).append(timed(action))
                seconds.setdefault(f"rollcall {name}, CPU", []).append((cpu_ns(daemon.pid) - before) / 1e9)
            daemon.stop()
            # Python is too slow to count while the clock runs; a client in C would take 20 ms.
            count = sum(map(device_count, messages))
            if count != kit.settings.count:
                raise ToolError(f"the export has {count:,} devices, not {kit.settings.count:,}")
    return {name: statistics.median(values) for name, values in seconds.items()}


def read_messages(kit, daemon):
    """Every message of an export."""
    frame = request_frame(kit.schema, 1, EXPORT, {})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(daemon.socket))
        connection.sendall(frame)
        stream = connection.makefile("rb", READ_BYTES)
        while True:
            header = stream.read(FRAME_HEADER_BYTES)
            length, kind, flags = int.from_bytes(header[:4], "big"), header[8], header[9]
            message = stream.read(length)
            if kind == FRAME_DATA:
                yield message
            if kind != FRAME_DATA or flags & FLAG_REMOTE_CLOSED:
                return


def device_count(message):
    """How many values of field 1 there are, each with a length of one byte or two."""
    at, count = 0, 0
    while at < len(message):
        length = message[at + 1]
        at += 2
        if length & 0x80:
            length = length & 0x7F | message[at] << 7
            at += 1
        at += length
        count += 1
    return count


def postgres(file, runs):
    seconds = {}
    with Postgres(postgres_folder()) as server:
        for _ in range(runs):
            server.run(POSTGRES_TABLE + POSTGRES_INDEXES)
            copy = f"\\copy device ({COLUMNS}) FROM '{file}' WITH (FORMAT csv, HEADER)\n"
            seconds.setdefault("postgres import", []).append(timed(lambda: server.run(copy)))
            server.run("VACUUM (ANALYZE) device;")
            out = f"\\copy device TO '{server.folder}/out.csv' WITH (FORMAT csv, HEADER)\n"
            seconds.setdefault("postgres export", []).append(timed(lambda: server.run(out)))
    return {name: statistics.median(values) for name, values in seconds.items()}


def sqlite(folder, file):
    database = folder / "sqlite.db"
    run_sqlite(database, "PRAGMA journal_mode = WAL;" + SQLITE_TABLE)
    script = f".import --csv --skip 1 {file} device\n"
    out = f".headers on\n.mode csv\n.output {folder / 'out.csv'}\nSELECT * FROM device;\n"
    return {
        "sqlite import": timed(lambda: run_sqlite(database, script)),
        "sqlite export": timed(lambda: run_sqlite(database, out)),
    }


def print_tables(seconds, count):
    print(f"## Import and export of {count:,} devices, in seconds\n")
    print("| | Rollcall | daemon's CPU | PostgreSQL | SQLite | to PostgreSQL | target | met |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    names = {
        "import": "CSV through the socket, durable and indexed",
        "NDJSON": "NDJSON to a file, as the others not synced; theirs is CSV",
        "CSV": "CSV to a file",
        "messages": "messages to a client that counts; theirs is CSV to a file",
    }
    for name, title in names.items():
        kind = "import" if name == "import" else "export"
        ours, theirs = seconds[f"rollcall {name}"], seconds.get(f"postgres {kind}")
        ratio = ours / theirs if theirs else None
        target = TARGETS.get(name)
        met = "" if ratio is None or target is None else "yes" if ratio <= target else "no"
        cells = [
            title,
            f"{ours:.2f}",
            f"{seconds[f'rollcall {name}, CPU']:.2f}",
            f"{theirs:.2f}" if theirs else "-",
            f"{seconds[f'sqlite {kind}']:.2f}" if f"sqlite {kind}" in seconds else "-",
            f"{ratio:.2f}" if ratio else "-",
            f"≤ {target}" if target else "-",
            met,
        ]
        print("| " + " | ".join(cells) + " |", flush=True)
    print()
