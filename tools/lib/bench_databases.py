"""The databases that Rollcall is measured against: their indexes, their settings, and the devices in them."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import textwrap
import time

import bench_data
from rollcall_daemon import ToolError, scratch_folder

POSTGRES_USER = "bench"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


# SQLite.

SQLITE_LOAD = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -1000000;
    CREATE TABLE incoming (id, device_serial, owner_ref, hardware_version, cohort, last_seen, release_version);
    .mode tabs
    .import {devices} incoming
    CREATE TABLE device (
        id INTEGER PRIMARY KEY, device_serial TEXT, owner_ref TEXT, hardware_version TEXT, cohort TEXT,
        last_seen INTEGER, release_version TEXT
    );
    INSERT INTO device
    SELECT id, device_serial, owner_ref, hardware_version, cohort, nullif(last_seen, ''), nullif(release_version, '')
    FROM incoming;
    DROP TABLE incoming;
"""

# For each field an index that it leads, with the order of the list behind it, so that one value is read in order and a
# time is a range; the other fields follow, so that they are asked without a look at the table. Beside it one of the
# field alone, shorter to count. No index leads with two fields: callers combine any of them, and n fields have 2^n sets.
SQLITE_INDEXES = """
    CREATE INDEX seen ON device (last_seen, id, hardware_version, release_version, owner_ref);
    CREATE INDEX hardware ON device (hardware_version, last_seen, id, release_version, owner_ref);
    CREATE INDEX release ON device (release_version, last_seen, id, hardware_version, owner_ref);
    CREATE INDEX owner ON device (owner_ref, last_seen, id, hardware_version, release_version);
    CREATE INDEX seen_alone ON device (last_seen);
    CREATE INDEX hardware_alone ON device (hardware_version);
    CREATE INDEX release_alone ON device (release_version);
    CREATE INDEX owner_alone ON device (owner_ref);
"""
# What a caller would add who asks for this very pair of fields.
SQLITE_PAIR = "CREATE INDEX pair ON device (hardware_version, release_version, last_seen, id);"


def run_sqlite(database, script):
    words = ["sqlite3", "-batch", "-bail", str(database)]
    if subprocess.run(words, input=script, text=True, stdout=subprocess.DEVNULL).returncode:
        raise ToolError("sqlite3 could not load the devices; its own words are above")


def load_sqlite(folder, devices):
    """The path of a database with the devices."""
    path = folder / "sqlite.db"
    # The shell knows its own commands only at the beginning of a line.
    run_sqlite(path, textwrap.dedent(SQLITE_LOAD).format(devices=devices) + SQLITE_INDEXES + "ANALYZE;")
    return path


# PostgreSQL.

# The device of a reply with every field in it, so that no query joins. Times are those of a timestamptz.
POSTGRES_LOAD = """
    BEGIN;
    CREATE TEMP TABLE incoming (
        id bigint, device_serial text, owner_ref text, hardware_version text, cohort text, last_seen bigint,
        version text
    );
    \\copy incoming FROM '{devices}' WITH (NULL '')
    CREATE TABLE device (
        id bigint PRIMARY KEY, created_date timestamptz, updated_date timestamptz, device_serial text, owner_ref text,
        hardware_version text, last_seen timestamptz, release_id bigint, release_version text, release_revision text,
        cohort_id bigint, cohort_name text, cohort_slug text, etag text
    );
    INSERT INTO device
    SELECT
        incoming.id, to_timestamp(0), to_timestamp(0), device_serial, owner_ref, hardware_version,
        to_timestamp(last_seen), release.id, version, release.revision, cohort.id, cohort, cohort,
        substr(md5(device_serial), 1, 8) || '-1'
    FROM incoming
    LEFT JOIN (VALUES {releases}) AS release (id, version, revision) USING (version)
    JOIN (VALUES {cohorts}) AS cohort (id, cohort) USING (cohort)
    ORDER BY incoming.id;
    COMMIT;
"""

# As for SQLite. A page reads the rows anyway, so the other fields are only carried along for the counts.
POSTGRES_INDEXES = """
    CREATE INDEX seen ON device (last_seen DESC NULLS LAST, id DESC)
        INCLUDE (hardware_version, release_version, owner_ref);
    CREATE INDEX hardware ON device (hardware_version, last_seen DESC NULLS LAST, id DESC)
        INCLUDE (release_version, owner_ref);
    CREATE INDEX release ON device (release_version, last_seen DESC NULLS LAST, id DESC)
        INCLUDE (hardware_version, owner_ref);
    CREATE INDEX owner ON device (owner_ref, last_seen DESC NULLS LAST, id DESC)
        INCLUDE (hardware_version, release_version);
    CREATE INDEX hardware_alone ON device (hardware_version);
    CREATE INDEX release_alone ON device (release_version);
    CREATE INDEX owner_alone ON device (owner_ref);
"""
POSTGRES_PAIR = "CREATE INDEX pair ON device (hardware_version, release_version, last_seen DESC NULLS LAST, id DESC);"
POSTGRES_SETTLE = """
    VACUUM (ANALYZE) device;
    CREATE EXTENSION IF NOT EXISTS pg_prewarm;
    SELECT pg_prewarm(oid) FROM pg_class WHERE relname = 'device' OR oid IN (
        SELECT indexrelid FROM pg_index WHERE indrelid = 'device'::regclass
    );
"""
# Everything in memory, no compiling and no helpers for queries of milliseconds, nothing that runs by itself.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "2GB",
    "effective_cache_size": "4GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "random_page_cost": "1.1",
    "default_statistics_target": "1000",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1d",
    "fsync": "off",
}


def postgres_folder():
    """The folder of PostgreSQL's programs, None where it is not installed."""
    folders = [path.parent for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if folders:
        return max(folders, key=lambda path: float(path.parent.name))
    found = shutil.which("postgres")
    return pathlib.Path(found).parent if found else None


class Postgres:
    """A cluster of its own in a folder of its own, as a user who is not root, which it refuses."""

    def __init__(self, programs):
        self.programs = programs
        self.stack = contextlib.ExitStack()
        self.process = None
        self.as_user = []

    def __enter__(self):
        self.folder = self.stack.enter_context(scratch_folder())
        if os.geteuid() == 0:
            users = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = users.get("postgres") or users["nobody"]
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            # Fast: connections are closed, and the files are left whole, although nobody will read them.
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        self.stack.close()

    def start(self):
        data, log = self.folder / "data", self.folder / "log"
        words = ["setpriv", *self.as_user, "--pdeathsig", "KILL"]
        with open(log, "wb") as words_said:
            initdb = [self.programs / "initdb", "-D", data, "-U", POSTGRES_USER, "-A", "trust", "-E", "UTF8"]
            initdb = words + [*map(str, initdb), "--locale=C", "--no-sync"]
            if subprocess.run(initdb, stdout=words_said, stderr=words_said).returncode:
                raise ToolError(f"initdb failed: {self.last_words()}")
            server = [self.programs / "postgres", "-D", data, "-k", self.folder]
            server += [word for name, value in POSTGRES_SETTINGS.items() for word in ("-c", f"{name}={value}")]
            self.process = subprocess.Popen(
                words + [str(word) for word in server],
                stdin=subprocess.DEVNULL,
                stdout=words_said,
                stderr=words_said,
                start_new_session=True,
            )
        began = time.monotonic()
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - began > START_SECONDS_MAX:
                raise ToolError(f"PostgreSQL did not start: {self.last_words()}")
            time.sleep(0.05)

    def is_ready(self):
        words = [str(self.programs / "pg_isready"), "-q", "-h", str(self.folder), "-U", POSTGRES_USER, "-d", "postgres"]
        return subprocess.run(words).returncode == 0

    def last_words(self):
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def run(self, script):
        words = [self.programs / "psql", "-X", "-q", "-h", self.folder, "-U", POSTGRES_USER, "-d", "postgres"]
        words = [str(word) for word in words] + ["-v", "ON_ERROR_STOP=1", "-f", "-"]
        if subprocess.run(words, input=script, text=True, stdout=subprocess.DEVNULL).returncode:
            raise ToolError("psql could not load the devices; its own words are above")

    def load(self, devices):
        releases = ", ".join(
            f"({number}, '{version.decode()}', '{revision.decode()}')"
            for number, (version, revision) in enumerate(bench_data.RELEASES, 1)
        )
        cohorts = ", ".join(f"({number}, '{slug.decode()}')" for number, slug in enumerate(bench_data.COHORTS, 1))
        self.run(POSTGRES_LOAD.format(devices=devices, releases=releases, cohorts=cohorts))
        self.run(POSTGRES_INDEXES)
        self.run(POSTGRES_SETTLE)

    @property
    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]
