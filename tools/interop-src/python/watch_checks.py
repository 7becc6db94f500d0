"""watches: what matches, every change, half-closed at once, resumed by revision, cancelled."""

import itertools

from grpc import RpcError, StatusCode
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import projects_pb2, resources_pb2, watch_pb2

PROJECT = "interop-watch"


def run(server, checks):
    server.projects.CreateProject(projects_pb2.CreateProjectRequest(project=resources_pb2.Project(slug=PROJECT)))
    beta = resources_pb2.Cohort(slug="beta", name="Beta")
    server.projects.CreateCohort(projects_pb2.CreateCohortRequest(project=PROJECT, cohort=beta))
    for number in range(3000):
        device = resources_pb2.Device(
            device_serial=f"W-{number}", owner_ref="ada", hardware_version="watch-1", cohort=beta
        )
        server.devices.CreateDevice(api.CreateDeviceRequest(project=PROJECT, device=device), timeout=10)
    bookmark = watches(server.devices, checks)
    resumes(server.devices, checks, bookmark)
    refuses(server.devices, checks, bookmark)


def request(**fields):
    return watch_pb2.WatchDevicesRequest(project=PROJECT, cohort=["beta"], **fields)


def update(serial, slug):
    device = resources_pb2.Device(device_serial=serial, cohort=resources_pb2.Cohort(slug=slug))
    return api.UpdateDeviceRequest(project=PROJECT, device=device)


def changes(devices):
    """Makes one change of each kind, and one that the filter leaves out."""
    devices.UpdateDevice(update("W-7", "default"))
    devices.UpdateDevice(update("W-7", "beta"))
    devices.CheckIn(api.CheckInRequest(project=PROJECT, device_serial="W-8"))
    devices.DeleteDevice(api.DeleteDeviceRequest(project=PROJECT, device_serial="W-9"))
    other = resources_pb2.Device(device_serial="other", owner_ref="ada", hardware_version="watch-1")
    devices.CreateDevice(api.CreateDeviceRequest(project=PROJECT, device=other))
    devices.DeleteDevice(api.DeleteDeviceRequest(project=PROJECT, device_serial="other"))


EXPECTED = [("left", "W-7"), ("entered", "W-7"), ("changed", "W-8"), ("left", "W-9")]


def told(events):
    pairs = [(event.WhichOneof("event"), getattr(event, event.WhichOneof("event"))) for event in events]
    return [(kind, event.device.device_serial) for kind, event in pairs], [event.revision for _, event in pairs]


def watches(devices, checks):
    # The iterator ends after one request, so that the client half-closes at once.
    call = devices.WatchDevices(iter([request()]), timeout=60)
    serials, bookmark = [], None
    for event in call:
        if event.WhichOneof("event") == "bookmark":
            bookmark = event.bookmark
            break
        serials += [device.device_serial for device in event.snapshot.devices]
    checks.equal("the devices that match at first", serials, [f"W-{number}" for number in range(3000)])
    changes(devices)
    events, revisions = told(itertools.islice(call, len(EXPECTED)))
    checks.equal("the changes", events, EXPECTED)
    checks.true("revisions rise", revisions == sorted(set(revisions)) and revisions[0] > bookmark.revision)
    call.cancel()
    try:
        checks.true("nothing comes after a cancel", next(call, None) is None)
    except RpcError as error:
        checks.equal("the end of a cancelled watch", error.code(), StatusCode.CANCELLED)
    return bookmark


def resumes(devices, checks, bookmark):
    resumed = request(store_id=bookmark.store_id, from_revision=bookmark.revision)
    call = devices.WatchDevices(iter([resumed]), timeout=60)
    events, _ = told(itertools.islice(call, len(EXPECTED)))
    checks.equal("the same changes from the bookmark", events, EXPECTED)
    checks.true("a bookmark after them", next(call).bookmark.revision > bookmark.revision)
    call.cancel()


def refuses(devices, checks, bookmark):
    def watch(*messages, timeout=60):
        return next(devices.WatchDevices(iter(messages), timeout=timeout))

    late = request(store_id=bookmark.store_id, from_revision=bookmark.revision + 1_000_000)
    other = request(store_id="00000000-0000-0000-0000-000000000000", from_revision=1)
    for name, message in (("of the future", late), ("of another store", other)):
        checks.refused(
            f"a revision {name}", StatusCode.OUT_OF_RANGE, watch, message, reason="REVISION_OUT_OF_RANGE"
        )
    checks.refused(
        "a watch of activity",
        StatusCode.INVALID_ARGUMENT,
        watch,
        request(activity=api.ACTIVITY_ACTIVE, filter="cohort.name = x"),
        reason="FIELD_INVALID",
        fields=["activity", "filter"],
    )
    checks.refused("a watch without a request", StatusCode.INVALID_ARGUMENT, watch)
