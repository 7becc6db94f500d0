"""The bench's data set, as files of request frames and of rows: a seeded fleet, skewed as fleets are."""

import itertools
import random

from rollcall_wire import encode_varint, request_frame

SEED = 20_190_119
OWNERS = [b"owner-%06d" % rank for rank in range(200_000)]
HARDWARE_WEIGHTS = {b"hwrev1": 50, b"hwrev2": 25, b"hwrev3": 14, b"hwrev4": 7, b"hwrev5": 3.5, b"hwrev6": 0.5}
HARDWARE = list(HARDWARE_WEIGHTS)
# The commonest first, each 0.85 times as common as the one before.
RELEASES = [(b"version%02d" % rank, b"%040x" % (rank * 0x9E3779B97F4A7C15 << 90 | rank)) for rank in range(40)]
# Hardware that a common release was never made for: two large sets of devices without one in common.
LACKING_RELEASE = {b"hwrev1": 2, b"hwrev2": 0, b"hwrev3": 1}
COHORT_WEIGHTS = {b"default": 80, b"cohort1": 10, b"cohort2": 5, b"cohort3": 4, b"cohort4": 1}
COHORTS = list(COHORT_WEIGHTS)
DAY_SECONDS = 86_400
LAST_SEEN_DAYS = 90
# In the past, for a check-in from the future is refused, and fixed, so that every run has the same devices.
NEWEST_SECONDS = 1_735_689_600
NEVER_SEEN = 0.03
GETS = 1 << 18
CHUNK = 10_000


class Weights:
    """Draws indexes by their weights."""

    def __init__(self, weights):
        self.sums = list(itertools.accumulate(weights))
        self.indexes = range(len(self.sums))

    def draw(self, rng, count=1):
        return rng.choices(self.indexes, cum_weights=self.sums, k=count)


# Zipf's law.
OWNER_WEIGHTS = Weights(1 / rank for rank in range(1, len(OWNERS) + 1))


def serial(index):
    """Twelve hex digits, another for each index below 2^48, in no order."""
    return b"%012x" % (index * 0x5DEECE66D & (1 << 48) - 1)


def fleet(count):
    """Each of `count` devices: serial, owner, hardware, cohort, last seen in seconds and release, both None if never.

    The one definition of the data set: whatever is measured, against whatever, has these devices as ids 1, 2, …
    """
    rng = random.Random(SEED)
    weights = [OWNER_WEIGHTS, *map(Weights, (HARDWARE_WEIGHTS.values(), COHORT_WEIGHTS.values()))]
    weights.append(Weights(0.85**rank for rank in range(len(RELEASES))))
    lacking = [LACKING_RELEASE.get(name) for name in HARDWARE]
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        columns = [weight.draw(rng, size) for weight in weights]
        for index, owner, hardware, cohort, release in zip(range(start, count), *columns):
            seen = None
            if rng.random() >= NEVER_SEEN:
                # To the minute: devices share a time, so that it matters how ties are broken.
                seen = NEWEST_SECONDS - int(rng.random() * LAST_SEEN_DAYS * DAY_SECONDS) // 60 * 60
            if release == lacking[hardware]:
                release += 1
            version = None if seen is None else RELEASES[release]
            yield serial(index), OWNERS[owner], HARDWARE[hardware], COHORTS[cohort], seen, version


# Frames.


class Template:
    """A request frame with holes of fixed width, which spares a million encodings."""

    def __init__(self, schema, method, request, holes):
        frame, self.parts = request_frame(schema, 1, method, request), []
        for hole in holes:
            before, found, frame = frame.partition(hole)
            assert found and hole not in frame, f"{hole} is not in the frame once"
            self.parts.append(before)
        self.parts.append(frame)

    def fill(self, *values):
        """The frame with `values` in the holes."""
        filled = [part for pair in zip(self.parts, values) for part in pair]
        return b"".join(filled) + self.parts[-1]


def write_chunks(path, parts):
    """Writes an iterator of bytes to a file, a chunk at a time."""
    with open(path, "wb") as file:
        while chunk := b"".join(itertools.islice(parts, CHUNK)):
            file.write(chunk)


def creates(schema, count):
    """CreateDevice for each device."""
    holes = [b"000000000000", b"owner-000000", b"hwrev0", b"cohort0"]
    device = {"device_serial": holes[0].decode(), "owner_ref": holes[1].decode(), "hardware_version": holes[2].decode()}
    device["cohort"] = {"slug": holes[3].decode()}
    template = Template(schema, "rollcall.v1.Devices/CreateDevice", {"device": device}, holes)
    return (template.fill(*device[:4]) for device in fleet(count))


def check_ins(schema, count):
    """CheckIn for all but the never seen, in no order of time."""
    seconds_hole = NEWEST_SECONDS - 1
    holes = [b"000000000000", encode_varint(seconds_hole), b"version99", b"f" * 40]
    request = {
        "device_serial": holes[0].decode(),
        "time": {"seconds": seconds_hole},
        "release": {"version": holes[2].decode(), "revision": holes[3].decode()},
    }
    template = Template(schema, "rollcall.v1.Devices/CheckIn", request, holes)
    for number, _, _, _, seen, release in fleet(count):
        if seen is not None:
            yield template.fill(number, encode_varint(seen), *release)


def gets(schema, count):
    """GetDevice for devices drawn at random."""
    rng = random.Random(SEED + 2)
    hole = b"000000000000"
    template = Template(schema, "rollcall.v1.Devices/GetDevice", {"device_serial": hole.decode()}, [hole])
    return (template.fill(serial(rng.randrange(count))) for _ in range(GETS))


def present_check_ins(schema, count):
    """CheckIn at the server's own time for devices drawn at random: each moves a device to the newest."""
    rng = random.Random(SEED + 3)
    hole = b"000000000000"
    request = {"device_serial": hole.decode(), "release": {"version": "version00", "revision": "f" * 40}}
    template = Template(schema, "rollcall.v1.Devices/CheckIn", request, [hole])
    return (template.fill(serial(rng.randrange(count))) for _ in range(GETS))


def newest_pages(schema):
    """ListDevices: the newest hundred of all."""
    request = {"sort": "-last_seen", "page_size": 100}
    return iter([request_frame(schema, 1, "rollcall.v1.Devices/ListDevices", request)])


# Rows.


def rows(count, places=None):
    """A line for each device: id, serial, owner, hardware, cohort, last seen in seconds, version; what is not is empty.

    `places` takes the place of each device that was seen, among those: its second and its id.
    """
    for device_id, (number, owner, hardware, cohort, seen, release) in enumerate(fleet(count), 1):
        if seen is None:
            yield b"%d\t%s\t%s\t%s\t%s\t\t\n" % (device_id, number, owner, hardware, cohort)
        else:
            if places is not None:
                places.append(seen << 32 | device_id)
            yield b"%d\t%s\t%s\t%s\t%s\t%d\t%s\n" % (device_id, number, owner, hardware, cohort, seen, release[0])
