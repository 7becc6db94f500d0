"""The bench's data set as files of request frames: a seeded fleet, skewed as fleets are."""

import bisect
import itertools
import random

from rollcall_wire import encode_varint, request_frame

SEED = 20_190_119
OWNERS = 200_000
HARDWARE_WEIGHTS = {"hwrev1": 50, "hwrev2": 25, "hwrev3": 14, "hwrev4": 7, "hwrev5": 3.5, "hwrev6": 0.5}
RELEASES = 40
COHORTS = ["default", "cohort1", "cohort2", "cohort3", "cohort4"]
COHORT_WEIGHTS = [80, 10, 5, 4, 1]
LAST_SEEN_DAYS = 90
NEVER_SEEN = 0.03
GETS = 1 << 18
CHUNK = 10_000


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


def serial(index):
    """Twelve hex digits, another for each index below 2^48, in no order."""
    return b"%012x" % (index * 0x5DEECE66D & (1 << 48) - 1)


class Weighted:
    """Draws from `values` by weight."""

    def __init__(self, rng, values, weights):
        self.rng, self.values = rng, values
        self.sums = list(itertools.accumulate(weights))

    def draw(self):
        return self.values[bisect.bisect(self.sums, self.rng.random() * self.sums[-1])]


def write_frames(path, frames):
    """Writes an iterator of frames to a file, a chunk at a time."""
    with open(path, "wb") as file:
        while chunk := b"".join(itertools.islice(frames, CHUNK)):
            file.write(chunk)


def creates(schema, count):
    """CreateDevice for each of `count` devices: owners by Zipf's law, hardware and cohorts skewed."""
    rng = random.Random(SEED)
    holes = [b"000000000000", b"owner-000000", b"hwrev0", b"cohort0"]
    device = {"device_serial": holes[0].decode(), "owner_ref": holes[1].decode(), "hardware_version": holes[2].decode()}
    device["cohort"] = {"slug": holes[3].decode()}
    template = Template(schema, "rollcall.v1.Devices/CreateDevice", {"device": device}, holes)
    ranks = range(1, OWNERS + 1)
    owners = Weighted(rng, [b"owner-%06d" % rank for rank in ranks], (1 / rank for rank in ranks))
    hardware = Weighted(rng, [name.encode() for name in HARDWARE_WEIGHTS], HARDWARE_WEIGHTS.values())
    cohorts = Weighted(rng, [slug.encode() for slug in COHORTS], COHORT_WEIGHTS)
    for index in range(count):
        yield template.fill(serial(index), owners.draw(), hardware.draw(), cohorts.draw())


def check_ins(schema, count, now_seconds):
    """CheckIn for all but the never seen, in no order of time: releases skewed, times within 90 days."""
    rng = random.Random(SEED + 1)
    seconds_hole = now_seconds - 1
    holes = [b"000000000000", encode_varint(seconds_hole), b"version99", b"f" * 40]
    request = {
        "device_serial": holes[0].decode(),
        "time": {"seconds": seconds_hole},
        "release": {"version": holes[2].decode(), "revision": holes[3].decode()},
    }
    template = Template(schema, "rollcall.v1.Devices/CheckIn", request, holes)
    versions = [(b"version%02d" % number, b"%040x" % rng.getrandbits(160)) for number in range(RELEASES)]
    releases = Weighted(rng, versions, (0.85**rank for rank in range(RELEASES)))
    for index in range(count):
        if rng.random() >= NEVER_SEEN:
            time = encode_varint(now_seconds - 1 - int(rng.random() * LAST_SEEN_DAYS * 86_400))
            yield template.fill(serial(index), time, *releases.draw())


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
