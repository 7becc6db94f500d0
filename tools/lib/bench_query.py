"""The bench's part that asks queries: of Rollcall, in process and through its socket, and of what it is held against."""

import contextlib
import itertools
import statistics
import time

import bench_data
import bench_queries
from bench_databases import POSTGRES_PAIR, POSTGRES_USER, SQLITE_PAIR, Postgres, load_sqlite, postgres_folder, run_sqlite
from bench_kit import compile_c, pin, placements, unpin
from bench_peers import COUNT, Caller, Program, compile_peer
from bench_query_tables import print_in_process, print_large, print_pair, print_sockets, print_updates
from rollcall_daemon import ToolError

IN_PROCESS = ("engine", "sqlite", "limit")
THROUGH_SOCKET = ("socket", "postgres")
PEERS = IN_PROCESS + THROUGH_SOCKET
LARGE_COUNT = 10_000_000
# Before its time among so many devices is taken, a query is asked for slices of so many seconds until two in a row go by in which it
# wants no more indexes, or so many have gone by.
WARM_SECONDS = 2
WARM_SLICES_MAX = 12
SELECTIVE = ("Q3", "Q4", "Q5", "Q6", "Q7a", "C3", "C4", "C5", "C7a")
# Shown beside them, without a target: no index leaves less than 2 % of the fleet of it, each device of which has to be asked.
UNSELECTIVE = ("C6",)
# Those that ask about both fields of an index on a pair.
PAIRED = ("Q7a", "Q7b", "C7a", "C7b", "G2")
# A run over every parameter set that takes longer than this is not repeated: by then its noise is small.
REPEATED_SECONDS_MAX = 4


class Files:
    """The devices and the parameter sets as the programs read them."""

    def __init__(self, folder, count, has_places):
        self.folder, places = folder, [] if has_places else None
        self.devices = folder / f"devices-{count}"
        bench_data.write_chunks(self.devices, bench_data.rows(count, places))
        self.sets = bench_queries.parameter_sets(count, places)
        self.lines = self.write(f"lines-{count}", lambda name, query: query.line(name))

    def write(self, name, line):
        path = self.folder / name
        path.write_text("".join(line(name, query) + "\n" for name in self.sets for query in self.sets[name]))
        return path


class Queries:
    def __init__(self, kit, peers, names):
        self.kit, self.settings = kit, kit.settings
        self.slice_seconds = self.settings.seconds / 4
        self.core = sorted(placements().values())[-1][1]
        self.rows = {}
        self.results = kit.results["query"] = {"devices": self.settings.count, "rows": self.rows}
        self.files = Files(kit.folder, self.settings.count, has_places=True)
        if unknown := [name for name in names if name not in self.files.sets]:
            raise ToolError(f"there is no query {unknown[0]}; there are {', '.join(self.files.sets)}")
        self.names = [name for name in self.files.sets if not names or name in names]
        self.peers = peers
        self.programs = {}
        self.answers = {}
        self.postgres = self.database = None

    # Peers.

    def start(self, stack):
        if "engine" in self.peers:
            self.programs["engine"] = stack.enter_context(self.engine(self.files))
        if "limit" in self.peers:
            command = [compile_peer(self.kit.folder, "limit"), self.files.devices, self.files.lines]
            self.programs["limit"] = stack.enter_context(Program("limit", *command, core=self.core))
        if "sqlite" in self.peers:
            compile_peer(self.kit.folder, "sqlite")
            self.database = load_sqlite(self.kit.folder, self.files.devices)
            self.programs["sqlite"] = stack.enter_context(self.sqlite())
        if "postgres" in self.peers:
            compile_peer(self.kit.folder, "postgres")
            self.postgres = stack.enter_context(Postgres(postgres_folder()))
            self.postgres.load(self.files.devices)
            self.programs["postgres"] = stack.enter_context(self.postgres_client())
        self.caller = Caller(self.kit, self.files.sets) if "socket" in self.peers else None

    def engine(self, files, environment=None):
        command = [self.kit.programs / "QueryBench", files.devices, files.lines]
        return Program("QueryBench", *command, core=self.core, environment=environment)

    def sqlite(self):
        sql = self.files.write("sqlite.sql", lambda name, query: f"{name}\t{query.sql('id', str)}")
        return Program("sqlite", self.kit.folder / "sqlite", self.database, sql, core=self.core)

    def postgres_client(self):
        time = "to_timestamp({})".format
        sql = self.files.write("postgres.sql", lambda name, query: f"{name}\t{query.sql('*', time)}")
        return Program("postgres", self.kit.folder / "postgres", self.postgres.folder, POSTGRES_USER, sql)

    def asks(self, peer, name):
        """Whether a peer is there and can be asked."""
        if peer == "socket":
            is_list = self.files.sets[name][0].kind == "list"
            return self.caller is not None and (is_list or COUNT in self.kit.schema.methods)
        return peer in self.programs

    # Agreement.

    def compare(self):
        """Every peer's answer to every parameter set, item by item."""
        mismatches = []
        for name in self.names:
            answers = {peer: self.answer(peer, name) for peer in PEERS if self.asks(peer, name)}
            self.answers[name] = next(iter(answers.values()))
            different = [place for place, its in enumerate(zip(*answers.values())) if not are_alike(its)]
            if different:
                place = different[0]
                its = {peer: answers[peer][place] for peer in answers}
                line = self.files.sets[name][place].line(name)
                mismatches.append(f"{name}: {len(different)} parameter sets, of which set {place} is {line!r}")
                mismatches += [f"    {peer}: {from_difference(it, its.values())}" for peer, it in its.items()]
        if mismatches:
            raise ToolError("\n".join(["peers do not agree", *mismatches]))
        asked = ", ".join(peer for peer in PEERS if any(self.asks(peer, name) for name in self.names))
        sets = sum(len(self.files.sets[name]) for name in self.names)
        print(f"## Queries among {self.settings.count:,} devices\n\nIn agreement on {sets:,} parameter sets: {asked}.\n")
        if self.settings.is_quick:
            print("This was the check; the figures of a quick run mean nothing.\n")

    def answer(self, peer, name):
        answers = self.caller.answers(name) if peer == "socket" else self.programs[peer].ask("answer", name)["answers"]
        if len(answers) != len(self.files.sets[name]):
            raise ToolError(f"{peer} gave {len(answers)} answers to {name}, not {len(self.files.sets[name])}")
        return answers

    # Time.

    def time(self, program, name):
        """One alternated run; what was timed must have found what was answered."""
        figures = program.ask("time", name, self.slice_seconds)
        expected = [sum(item if isinstance(item, int) else item[1] for item in items) for items in self.answers[name]]
        if figures["sums"] != expected:
            raise ToolError(f"{program.name} answers {name} differently when it is timed")
        return figures

    def runs(self, peers, measure):
        """(query, peer) to what `measure` returns for each of the runs, which alternate between the peers."""
        runs, slow = {}, set()
        for _ in range(self.settings.runs):
            for name in self.names:
                for peer in peers:
                    if self.asks(peer, name) and (name, peer) not in slow:
                        began = time.monotonic()
                        runs.setdefault((name, peer), []).append(measure(peer, name))
                        if time.monotonic() - began > REPEATED_SECONDS_MAX:
                            slow.add((name, peer))
        return runs.items()

    def time_in_process(self):
        def measure(peer, name):
            return self.time(self.programs[peer], name)["best"]

        for (name, peer), times in self.runs(IN_PROCESS, measure):
            self.row(name)[peer] = over_sets([min(set_times) for set_times in zip(*times)])

    def time_through_sockets(self, placement, server_core, client_core):
        """Whole calls. The daemon's 99th percentile is that of all calls, PostgreSQL's that of its parameter sets."""

        def measure(peer, name):
            if peer == "socket":
                figures = self.caller.time(name, self.slice_seconds, client_core)
                return figures["p50_ns"], figures["p99_ns"]
            return tuple(over_sets(self.time(self.programs[peer], name)["median"]).values())

        if self.caller:
            pin(self.kit.daemon.pid, server_core)
        if self.postgres:
            self.pin_postgres(self.programs["postgres"], server_core, client_core)
        for (name, peer), times in self.runs(THROUGH_SOCKET, measure):
            p50, p99 = map(statistics.median, zip(*times))
            self.row(name).setdefault(placement, {})[peer] = {"p50": p50, "p99": p99}
        if self.caller:
            unpin(self.kit.daemon.pid)

    def pin_postgres(self, client, server_core, client_core):
        for pid in self.postgres.pids:
            pin(pid, server_core)
        pin(client.process.pid, client_core)

    def row(self, name):
        return self.rows.setdefault(name, {"items": self.item_count(name)})

    def item_count(self, name):
        """Of the median answer: devices of a page, what a count counts, or groups."""
        is_count = self.files.sets[name][0].kind == "count"
        return statistics.median_low(items[0] if is_count else len(items) for items in self.answers[name])

    # Beside the times.

    def measure_memory(self):
        """What the engine takes from the allocator to answer, at most."""
        library = compile_c(self.kit.folder, "heap", "-shared", "-fPIC")
        with self.engine(self.files, {"LD_PRELOAD": str(library)}) as program:
            for name in self.names:
                self.row(name)["peak_bytes"] = max(program.ask("memory", name)["peak_bytes"])

    def time_pairs(self, stack):
        """What the databases would gain by an index on the very pair of fields that some queries ask about."""
        names = [name for name in PAIRED if name in self.names]
        if names and self.database:
            self.programs.pop("sqlite").close()
            run_sqlite(self.database, SQLITE_PAIR + "ANALYZE;")
            program = stack.enter_context(self.sqlite())
            for name in names:
                program.ask("answer", name)
                self.rows[name]["sqlite, pair"] = over_sets(self.time(program, name)["best"])
        if names and self.postgres:
            self.postgres.run(POSTGRES_PAIR + "ANALYZE device;")
            program = stack.enter_context(self.postgres_client())
            self.pin_postgres(program, *placements()["one core"])
            for name in names:
                program.ask("answer", name)
                self.rows[name]["postgres, pair"] = over_sets(self.time(program, name)["median"])

    def measure_large(self):
        """Selective queries of the engine among ten times as many devices."""
        files = Files(self.kit.folder, LARGE_COUNT, has_places=False)
        names = [name for name in SELECTIVE + UNSELECTIVE if name in self.names]
        large = self.results["large"] = {"devices": LARGE_COUNT, "rows": {}}
        with self.engine(files) as program:
            for name in names:
                items = program.ask("answer", name)["answers"]
                built = settle(program, name)
                times = [program.ask("time", name, self.slice_seconds)["best"] for _ in range(self.settings.runs)]
                is_count = files.sets[name][0].kind == "count"
                counts = [answer[0] if is_count else len(answer) for answer in items]
                figures = over_sets([min(set_times) for set_times in zip(*times)])
                figures["has_target"] = name in SELECTIVE
                figures["built"] = built
                large["rows"][name] = figures | {"items": statistics.median_low(counts)}
        files.devices.unlink()


def settle(program, name):
    """Asks a query until it wants no more indexes, and tells how many were built in each slice of that time."""
    built = []
    while len(built) < WARM_SLICES_MAX and (len(built) < 2 or any(built[-2:])):
        built.append(program.ask("time", name, WARM_SECONDS)["built"])
    return built


def are_alike(items):
    return all(item == items[0] for item in items)


def from_difference(items, all_items):
    """What an answer says from where the answers begin to differ."""
    place = next(place for place, its in enumerate(itertools.zip_longest(*all_items)) if not are_alike(its))
    return f"{len(items)} items, from item {place} on: {', '.join(map(str, items[place : place + 5])) or 'none'}"


def over_sets(times):
    times = sorted(times)
    return {"p50": statistics.median_low(times), "p99": times[len(times) * 99 // 100]}


def query(kit, peers, names, is_large):
    """Measures what is asked for and prints the tables."""
    with contextlib.ExitStack() as stack:
        part = Queries(kit, peers, names)
        part.start(stack)
        part.compare()
        part.time_in_process()
        if "engine" in peers:
            part.measure_memory()
        print_in_process(part)
        if part.caller or part.postgres:
            for placement, cores in list(placements().items())[: 1 if kit.settings.is_quick else None]:
                part.time_through_sockets(placement, *cores)
                print_sockets(part, placement)
        if not kit.settings.is_quick:
            part.time_pairs(stack)
            print_pair(part)
        if "engine" in peers:
            part.results["update"] = part.programs["engine"].ask("update")
            print_updates(part)
    if is_large and "engine" in peers:
        part.measure_large()
        print_large(part)
