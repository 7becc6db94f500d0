"""lists and counts: filters, expressions, order, pages, totals and explanations."""

import time

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import projects_pb2, resources_pb2

PROJECT = "interop-lists"
DEVICE_COUNT = 60


def run(server, checks):
    fleet = make_fleet(server)
    lists(server.devices, checks, fleet)
    walks(server.devices, checks, fleet)
    counts(server.devices, checks, fleet)


def make_fleet(server):
    """Device `L00` and on: three hardware versions, two releases, and every fifth never seen."""
    server.projects.CreateProject(projects_pb2.CreateProjectRequest(project=resources_pb2.Project(slug=PROJECT)))
    now, fleet = int(time.time()), {}
    for index in range(DEVICE_COUNT):
        serial = f"L{index:02}"
        device = resources_pb2.Device(
            device_serial=serial, owner_ref=f"owner-{index % 7}", hardware_version=f"hw{index % 3}"
        )
        server.devices.CreateDevice(api.CreateDeviceRequest(project=PROJECT, device=device))
        if index % 5:
            request = api.CheckInRequest(project=PROJECT, device_serial=serial)
            request.time.seconds = now - index * 3600
            request.release.version = f"4.{index % 2}.0"
            request.attributes.add(string_key="battery").value.int_value = index
            server.devices.CheckIn(request)
        full = api.GetDeviceRequest(
            project=PROJECT, device_serial=serial, view=resources_pb2.DEVICE_VIEW_FULL
        )
        fleet[serial] = server.devices.GetDevice(full)
    return fleet


def serials(devices):
    return [device.device_serial for device in devices]


def battery(device):
    return device.attributes[0].state.value.int_value if device.attributes else None


def lists(devices, checks, fleet):
    """Each filter against what Python makes of the same devices."""
    now = int(time.time())
    seen = [device for device in fleet.values() if device.HasField("last_seen")]
    cases = {
        "release": (dict(release=["4.1.0"]), lambda d: d.last_seen_release.version == "4.1.0"),
        "owners": (dict(owner_ref=["owner-1", "owner-2"]), lambda d: d.owner_ref in ("owner-1", "owner-2")),
        "hardware": (dict(hardware_version=["hw2"]), lambda d: d.hardware_version == "hw2"),
        "cohort": (dict(cohort=["default"]), lambda d: True),
        "serials": (dict(device_serial=["L03", "L59", "absent"]), lambda d: d.device_serial in ("L03", "L59")),
        "since": (
            dict(last_seen_since=Timestamp(seconds=now - 36_000 + 1800)),
            lambda d: d in seen and d.last_seen.seconds > now - 36_000 + 1800,
        ),
        "until": (
            dict(last_seen_until=Timestamp(seconds=now - 36_000 + 1800)),
            lambda d: d in seen and d.last_seen.seconds < now - 36_000 + 1800,
        ),
        "pending": (dict(activity=api.ACTIVITY_PENDING), lambda d: d not in seen),
        "active": (
            dict(activity=api.ACTIVITY_ACTIVE, activity_window=Duration(seconds=9000)),
            lambda d: d in seen and d.last_seen.seconds >= now - 9000,
        ),
        "expression": (
            dict(filter='attributes.battery < 20 AND NOT (hardware_version = hw0 OR owner_ref = "owner-1")'),
            lambda d: d.attributes and battery(d) < 20 and d.hardware_version != "hw0" and d.owner_ref != "owner-1",
        ),
    }
    for name, (fields, matches) in cases.items():
        request = api.ListDevicesRequest(
            project=PROJECT, include_total=True, view=resources_pb2.DEVICE_VIEW_FULL, explain=True, **fields
        )
        answer = devices.ListDevices(request)
        expected = api.ListDevicesResponse(devices=[device for device in fleet.values() if matches(device)])
        expected.total_count = len(expected.devices)
        checks.true(f"list by {name} is explained", answer.explanation.plan and answer.explanation.steps)
        checks.true(f"list by {name} took some time", answer.explanation.duration.nanos > 0)
        expected.explanation.CopyFrom(answer.explanation)
        checks.same(f"list by {name}", answer, expected)


def walks(devices, checks, fleet):
    """Pages of seven, in an order with ties, by token and by number."""
    ordered = sorted(
        fleet.values(), key=lambda d: (d.hardware_version, d.last_seen.seconds, d.id), reverse=True
    )
    request = api.ListDevicesRequest(project=PROJECT, sort="-hardware_version,-last_seen", page_size=7)
    walked = []
    while True:
        page = devices.ListDevices(request)
        walked += serials(page.devices)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    checks.equal("walked by token", walked, serials(ordered))
    numbered = []
    for number in range(1, DEVICE_COUNT // 7 + 2):
        request = api.ListDevicesRequest(
            project=PROJECT, sort="hardware_version desc,-last_seen", page_size=7, page=number
        )
        numbered += serials(devices.ListDevices(request).devices)
    checks.equal("walked by number", numbered, serials(ordered))


def counts(devices, checks, fleet):
    request = api.CountDevicesRequest(project=PROJECT, group_by=["hardware_version", "release"], explain=True)
    answer = devices.CountDevices(request)
    checks.true("a count is explained", answer.explanation.plan)
    groups = {}
    for device in fleet.values():
        version = device.last_seen_release.version if device.HasField("last_seen_release") else None
        groups[device.hardware_version, version] = groups.get((device.hardware_version, version), 0) + 1
    counted = {
        tuple(value.string_value if value.WhichOneof("kind") else None for value in group.values): group.count
        for group in answer.groups
    }
    checks.equal("count", answer.count, DEVICE_COUNT)
    checks.equal("groups", counted, groups)
    sizes = [group.count for group in answer.groups]
    checks.equal("the largest group comes first", sizes, sorted(sizes, reverse=True))
    limited = devices.CountDevices(
        api.CountDevicesRequest(project=PROJECT, group_by=["activity"], group_limit=1, filter="hardware_version = hw1")
    )
    checks.equal("count under a filter", limited.count, DEVICE_COUNT // 3)
    checks.equal("groups and the rest", limited.groups[0].count + limited.other_count, limited.count)
    checks.equal("kind of the group", limited.groups[0].values[0].WhichOneof("kind"), "activity_value")
    plain = devices.CountDevices(api.CountDevicesRequest(project=PROJECT, device_serial=["L01"]))
    checks.same("count alone", plain, api.CountDevicesResponse(count=1))
