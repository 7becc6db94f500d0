"""The bench's part that does several things at once: point reads and check-ins beside queries that look at every device."""

import concurrent.futures
import threading

import bench_data

LIST_DEVICES = "rollcall.v1.Devices/ListDevices"
# Nothing that an index could answer: each serial is looked at, and every match is weighed against the others.
UNSELECTIVE = {"filter": 'device_serial = "*0f*"', "sort": "-owner_ref,created_date", "page_size": 100}
GET_P99_TARGET_NS = 2e6


class Background:
    """Long queries, one after another, for as long as the block runs."""

    def __init__(self, kit, query):
        self.kit, self.query, self.count, self.is_over = kit, query, 0, threading.Event()

    def __enter__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.running = self.pool.submit(self.run)
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.running.result()
        self.pool.shutdown()

    def run(self):
        with self.kit.daemon.connect() as connection:
            token = ""
            while not self.is_over.is_set():
                reply = connection.call(LIST_DEVICES, self.query | {"page_token": token})
                token = reply.get("next_page_token", "") if self.query.get("page_size") == 1000 else ""
                self.count += 1


def mixed(kit):
    seconds = kit.settings.seconds * 2
    gets = kit.write_frames("GetDevice beside", bench_data.gets(kit.schema, kit.settings.count))
    check_ins = kit.write_frames("CheckIn beside", bench_data.present_check_ins(kit.schema, kit.settings.count))
    backgrounds = {
        "nothing": None,
        "a query that asks every device": UNSELECTIVE,
        "a walk over every device": {"page_size": 1000},
    }
    print(f"## GetDevice (1 × 1) and CheckIn (1 × 8) beside long queries, {kit.settings.count:,} devices\n")
    print("| beside | Get p50 µs | p99 µs | at most 2 ms | CheckIn, thousand/s | p99 ms | queries or pages /s |")
    print("|---|--:|--:|---|--:|--:|--:|")
    for name, query in backgrounds.items():
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            if query is None:
                background = None
                reads, writes = both(kit, pool, gets, check_ins, seconds)
            else:
                with Background(kit, query) as background:
                    reads, writes = both(kit, pool, gets, check_ins, seconds)
        rate = background.count / seconds if background else 0
        is_met = "yes" if reads["p99_ns"] <= GET_P99_TARGET_NS else "no"
        kit.results.setdefault("mixed", {})[name] = {"get": reads, "check_in": writes, "rate": rate}
        print(
            f"| {name} | {reads['p50_ns'] / 1e3:,.0f} | {reads['p99_ns'] / 1e3:,.0f} | {is_met} "
            f"| {writes['rate'] / 1e3:,.1f} | {writes['p99_ns'] / 1e6:,.1f} | {rate:,.1f} |",
            flush=True,
        )
    print()


def both(kit, pool, gets, check_ins, seconds):
    daemon = kit.daemon
    loads = [
        pool.submit(kit.load, daemon.socket, daemon.pid, frames, shape, seconds)
        for frames, shape in ((gets, (1, 1)), (check_ins, (1, 8)))
    ]
    return [load.result() for load in loads]
