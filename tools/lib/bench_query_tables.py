"""The tables of the bench's queries, with the targets that they are held to."""

import statistics

from bench_queries import ABOUT, deep_page

# The engine against the hand-written limit. One below this many ns counts as this many: it is less than reading the
# texts of a filter takes.
LIMIT_RATIO_MAX = 3
LIMIT_NS_MIN = 150
# The socket against PostgreSQL's: how many times as fast in each row, and in the geometric mean of all.
SOCKET_RATIO_MIN = {"Q1": 3, "Q2": 3, "Q5": 3, "Q8c": 3}
SOCKET_MEAN_MIN = 50
LAST_SEEN_NS_MAX = 2_000
LARGE_RATIO_MAX = 3


def table(columns, rows):
    """Prints rows of texts; the first column is to the left, the others to the right."""
    print("| " + " | ".join(columns) + " |")
    print("|---|" + "--:|" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def us(figures, key="p50"):
    """Microseconds with three digits that mean something."""
    if figures is None:
        return "–"
    value = figures[key] / 1e3
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def ratio(value):
    return "–" if value is None else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def verdict(is_met):
    return "–" if is_met is None else "yes" if is_met else "**no**"


def about(part, name):
    return f"{name} {ABOUT[name].format(page=deep_page(part.settings.count))}"


def print_in_process(part):
    peers = [peer for peer in ("engine", "sqlite", "limit") if peer in part.programs]
    if not peers:
        return
    print("In process: ids of a page of 100, a count, or groups; µs, p50 and p99 over the parameter sets\n")
    titles = {"engine": "ours", "sqlite": "SQLite", "limit": "limit"}
    columns = ["query", "found"] + [word for peer in peers for word in (titles[peer], "p99")]
    has_ours = "engine" in peers
    columns += ["SQLite ÷ ours", "ours ÷ limit", "peak KiB", "met"] if has_ours else []
    lines, faster, slower = [], [], []
    for name in part.names:
        row = part.rows[name]
        line = [about(part, name), f"{row['items']:,}"]
        line += [us(row[peer], key) for peer in peers for key in ("p50", "p99")]
        if has_ours:
            ours = max(row["engine"]["p50"], 1)
            against_sqlite = row["sqlite"]["p50"] / ours if "sqlite" in row else None
            against_limit = ours / max(row["limit"]["p50"], LIMIT_NS_MIN) if "limit" in row else None
            checks = []
            if against_sqlite is not None:
                faster.append(against_sqlite)
                checks.append(against_sqlite > 1)
            if against_limit is not None:
                slower.append(against_limit)
                checks.append(against_limit <= LIMIT_RATIO_MAX)
            row["met"] = all(checks) if checks else None
            line += [ratio(against_sqlite), ratio(against_limit)]
            line += [f"{row['peak_bytes'] / 1024:,.1f}", verdict(row["met"])]
        lines.append(line)
    table(columns, lines)
    if has_ours:
        means = [f"SQLite takes {statistics.geometric_mean(faster):,.1f} times as long as ours"] if faster else []
        means += [f"ours {statistics.geometric_mean(slower):,.2f} times as long as the limit"] if slower else []
        print(
            f"Targets: at most {LIMIT_RATIO_MAX} times the limit (which counts as at least {LIMIT_NS_MIN} ns), and "
            f"faster than SQLite, in every row. Geometric means: {'; '.join(means) or 'none'}. Peak: the most that one "
            "answer took from the allocator.\n"
        )


def print_sockets(part, placement):
    names = [name for name in part.names if placement in part.rows[name]]
    if left_out := [name for name in part.names if part.caller and not part.asks("socket", name)]:
        print(f"Not asked through the socket, for the protos have no CountDevices: {', '.join(left_out)}.\n")
    if not names:
        return
    print(f"Through a socket, {placement}, one call at a time: a page of 100 whole devices, a count, or groups; µs\n")
    lines, ratios = [], []
    for name in names:
        ours, theirs = (part.rows[name][placement].get(peer) for peer in ("socket", "postgres"))
        against, least = None, SOCKET_RATIO_MIN.get(name, 1)
        if ours and theirs:
            against = theirs["p50"] / ours["p50"]
            ratios.append(against)
            part.rows[name][placement]["met"] = against >= least if least > 1 else against > 1
        line = [about(part, name), us(ours), us(ours, "p99"), us(theirs), us(theirs, "p99"), ratio(against)]
        met = part.rows[name][placement].get("met")
        lines.append(line + [f"≥ {least}" if least > 1 else "> 1", verdict(met)])
    table(["query", "ours", "p99", "PostgreSQL", "p99", "PostgreSQL ÷ ours", "target", "met"], lines)
    if ratios:
        mean = statistics.geometric_mean(ratios)
        part.results.setdefault("socket_mean", {})[placement] = mean
        print(
            f"Geometric mean of {len(ratios)} rows: {mean:,.1f} times as fast as PostgreSQL; target "
            f"{SOCKET_MEAN_MIN}: {verdict(mean >= SOCKET_MEAN_MIN)}.\n"
        )


def print_pair(part):
    """No target: the indexes above serve any filter, this one a single pair of fields."""
    names = [name for name in part.names if any("pair" in key for key in part.rows[name])]
    if not names:
        return
    print("With one more index, on (hardware_version, release_version), which serves only these; one core, µs\n")
    lines = []
    for name in names:
        row = part.rows[name]
        lines.append([about(part, name)] + [us(row.get(peer)) for peer in ("engine", "sqlite, pair")])
        sockets = [row.get("one core", {}).get("socket"), row.get("postgres, pair")]
        lines[-1] += [us(figures) for figures in sockets]
    table(["query", "ours, in process", "SQLite", "ours, socket", "PostgreSQL"], lines)


def print_updates(part):
    print("Index work of a change; ns\n")
    update = part.results["update"]
    lines = [[name, f"{times['median']:,}", f"{times['p99']:,}"] for name, times in update.items()]
    table(["change", "median", "p99"], lines)
    is_met = update["last_seen"]["median"] < LAST_SEEN_NS_MAX
    print(f"Target: last_seen under {LAST_SEEN_NS_MAX:,}: {verdict(is_met)}.\n")


def print_large(part):
    large = part.results["large"]
    print(f"Selective queries in process, among {large['devices']:,} devices; µs\n")
    lines = []
    for name, figures in large["rows"].items():
        small = part.rows[name]
        grown = figures["p50"] / max(small["engine"]["p50"], 1)
        line = [about(part, name), f"{small['items']:,}", us(small["engine"]), f"{figures['items']:,}", us(figures)]
        met = verdict(grown <= LARGE_RATIO_MAX) if figures["has_target"] else "–"
        built = f"{sum(figures['built'])}{', more to come' if figures['built'][-1] else ''}"
        lines.append(line + [us(figures, "p99"), ratio(grown), met, built])
        figures |= {"ratio": grown}
    counts = [f"{count:,}" for count in (part.settings.count, large["devices"])]
    table(["query", "found", f"of {counts[0]}", "found", f"of {counts[1]}", "p99", "ratio", "met", "indexes built"], lines)
    print(f"Target: at most {LARGE_RATIO_MAX} times as long; none where no index leaves little of the filter to be asked.\n")
