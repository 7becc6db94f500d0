"""The bench's queries: parameter sets drawn with a fixed seed, and each as a line, as SQL and as a request."""

import dataclasses
import random

from bench_data import (
    DAY_SECONDS,
    HARDWARE,
    LACKING_RELEASE,
    LAST_SEEN_DAYS,
    NEWEST_SECONDS,
    OWNER_WEIGHTS,
    OWNERS,
    RELEASES,
)

SEED = 7_041_776
SETS = 64
PAGE_SIZE = 100
# The pages that are read deep in a list begin half way down: each parameter set asks for the next one, as a walk does.
DEEP_FRACTION = 2
VERSIONS = [version.decode() for version, _ in RELEASES]
MODELS = [name.decode() for name in HARDWARE]
COMMON_MODELS, RAREST_MODEL = MODELS[:3], MODELS[-1]
RARE_VERSIONS, RAREST_VERSIONS = VERSIONS[20:], VERSIONS[28:]

# What each query asks, where `page` is the first deep one.
ABOUT = {
    "Q1": "newest first",
    "Q2": "a common hardware version, newest first",
    "Q3": "two rare releases, oldest first",
    "Q4": "three owners, newest first",
    "Q5": "a day, two hardware versions",
    "Q6": "3 releases, 2 hardware versions, 200 owners, 30 days",
    "Q7a": "rare hardware, 11 rare releases, a day",
    "Q7b": "two large sets with nothing in common",
    "Q8c": "a page from the {page:,}th on, by token",
    "Q8o": "a page from the {page:,}th on, by its number",
    "G1": "count by release",
    "G2": "count by release of a hardware version",
} | {f"C{name}": f"the count of Q{name}" for name in ("1", "2", "3", "4", "5", "6", "7a", "7b")}


@dataclasses.dataclass
class Query:
    """One parameter set. Times are in seconds; both bounds are strict."""

    kind: str = "list"  # or "count", or "group": the count by release
    is_oldest_first: bool = False
    page: int = 1
    after: tuple = ()  # the second and the id of the last device before the page
    since: int | None = None
    until: int | None = None
    releases: list = dataclasses.field(default_factory=list)
    hardware: list = dataclasses.field(default_factory=list)
    owners: list = dataclasses.field(default_factory=list)

    def line(self, name):
        """For the programs that take no SQL: ten fields between tabs."""
        bounds = ["" if bound is None else str(bound) for bound in (self.since, self.until)]
        fields = [name, self.kind, "oldest" if self.is_oldest_first else "newest", str(self.page)]
        fields += [" ".join(map(str, self.after)), *bounds]
        return "\t".join(fields + [" ".join(values) for values in (self.releases, self.hardware, self.owners)])

    def sql(self, columns, time):
        """`columns` is what a list selects, `time` writes a time as SQL."""
        conditions = []
        fields = {"release_version": self.releases, "hardware_version": self.hardware, "owner_ref": self.owners}
        for field, values in fields.items():
            if values:
                words = ", ".join(f"'{value}'" for value in values)
                conditions.append(f"{field} = {words}" if len(values) == 1 else f"{field} IN ({words})")
        if self.since is not None:
            conditions.append(f"last_seen > {time(self.since)}")
        if self.until is not None:
            conditions.append(f"last_seen < {time(self.until)}")
        if self.after:
            conditions.append(f"(last_seen, id) < ({time(self.after[0])}, {self.after[1]})")
        source = "FROM device" + (" WHERE " + " AND ".join(conditions) if conditions else "")
        if self.kind == "count":
            return f"SELECT count(*) {source}"
        if self.kind == "group":
            return (
                f"SELECT release_version, count(*) {source} GROUP BY release_version "
                "ORDER BY count(*) DESC, release_version ASC NULLS FIRST LIMIT 1000"
            )
        order = "last_seen ASC NULLS FIRST, id ASC" if self.is_oldest_first else "last_seen DESC NULLS LAST, id DESC"
        offset = 0 if self.after else (self.page - 1) * PAGE_SIZE
        return f"SELECT {columns} {source} ORDER BY {order} LIMIT {PAGE_SIZE} OFFSET {offset}"

    def count_request(self):
        request = {"release": self.releases, "hardware_version": self.hardware, "owner_ref": self.owners}
        for field, bound in (("last_seen_since", self.since), ("last_seen_until", self.until)):
            if bound is not None:
                request[field] = {"seconds": bound}
        return request | ({"group_by": ["release"]} if self.kind == "group" else {})

    def list_request(self):
        """Of a page by token all but the token, which is the daemon's own."""
        request = self.count_request() | {"sort": "last_seen" if self.is_oldest_first else "-last_seen"}
        request |= {"page_size": PAGE_SIZE}
        return request | ({"page": self.page} if self.page > 1 and not self.after else {})


def window(rng, days):
    """A span of days within those in which devices were seen."""
    since = NEWEST_SECONDS - rng.randint(days * DAY_SECONDS, LAST_SEEN_DAYS * DAY_SECONDS)
    return {"since": since, "until": since + days * DAY_SECONDS}


def owners(rng, count):
    """Different owners, drawn as devices are: who has many is asked for often."""
    drawn = {}
    while len(drawn) < count:
        drawn[OWNERS[OWNER_WEIGHTS.draw(rng)[0]].decode()] = None
    return list(drawn)


def deep_page(count):
    return max(2, count // PAGE_SIZE // DEEP_FRACTION)


def parameter_sets(count, places=None):
    """Query name to its parameter sets; deep pages only with `places`, as `bench_data.rows` tells them."""
    rng = random.Random(SEED)
    pairs = [(model.decode(), VERSIONS[release]) for model, release in LACKING_RELEASE.items()]
    draws = {
        "Q1": lambda index: {},
        "Q2": lambda index: {"hardware": [COMMON_MODELS[index % 3]]},
        "Q3": lambda index: {"releases": rng.sample(RAREST_VERSIONS, 2), "is_oldest_first": True},
        "Q4": lambda index: {"owners": owners(rng, 3)},
        "Q5": lambda index: {"hardware": rng.sample(MODELS, 2)} | window(rng, 1),
        "Q6": lambda index: {
            "releases": rng.sample(VERSIONS, 3),
            "hardware": rng.sample(MODELS, 2),
            "owners": owners(rng, 200),
        }
        | window(rng, 30),
        "Q7a": lambda index: {"hardware": [RAREST_MODEL], "releases": rng.sample(RARE_VERSIONS, 11)} | window(rng, 1),
        "Q7b": lambda index: {"hardware": [pairs[index % 3][0]], "releases": [pairs[index % 3][1]]},
    }
    sets = {name: [Query(**draw(index)) for index in range(SETS)] for name, draw in draws.items()}
    counts = {
        "C" + name[1:]: [dataclasses.replace(query, kind="count", is_oldest_first=False) for query in sets[name]]
        for name in draws
    }
    if places:
        first = deep_page(count)
        pages = [first + index % max(1, count // PAGE_SIZE - first) for index in range(SETS)]
        ordered = sorted(places)
        lasts = [ordered[-(page - 1) * PAGE_SIZE] for page in pages]
        sets["Q8c"] = [
            Query(page=page, after=(last >> 32, last & 0xFFFF_FFFF)) for page, last in zip(pages, lasts)
        ]
        sets["Q8o"] = [Query(page=page) for page in pages]
    groups = {"G1": [Query(kind="group")] * SETS}
    groups["G2"] = [dataclasses.replace(query, kind="group") for query in sets["Q2"]]
    return sets | counts | groups
