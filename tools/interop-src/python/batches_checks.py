"""many devices in one call: batches, all or none, and purges by a filter."""

import uuid

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import projects_pb2, purge_pb2, resources_pb2

PROJECT = "interop-batches"
SERIALS = [f"B-{number}" for number in range(1000)]


def run(server, checks):
    server.projects.CreateProject(projects_pb2.CreateProjectRequest(project=resources_pb2.Project(slug=PROJECT)))
    created = creates(server.devices, checks)
    gets(server.devices, checks, created)
    updates(server.devices, checks, created)
    deletes(server.devices, checks)
    purges(server.devices, checks)


def creation(serial):
    device = resources_pb2.Device(device_serial=serial, owner_ref="Klinik Süd", hardware_version="watch-b1")
    return api.CreateDeviceRequest(project=PROJECT, device=device)


def serials(reply):
    return [device.device_serial for device in reply.devices]


def remaining(devices):
    return devices.CountDevices(api.CountDevicesRequest(project=PROJECT)).count


def creates(devices, checks):
    request = api.BatchCreateDevicesRequest(project=PROJECT, requests=map(creation, SERIALS), validate_only=True)
    tried = devices.BatchCreateDevices(request)
    checks.equal("a thousand devices that are only checked", serials(tried), SERIALS)
    checks.equal("none of them is there", remaining(devices), 0)
    request.validate_only, request.request_id = False, str(uuid.uuid4())
    created = devices.BatchCreateDevices(request)
    checks.equal("a thousand devices created", serials(created), SERIALS)
    checks.true("ids rise", all(a.id < b.id for a, b in zip(created.devices, created.devices[1:])))
    checks.same("created again under the request id", devices.BatchCreateDevices(request), created)
    checks.refused(
        "batch with a serial that is taken",
        StatusCode.ALREADY_EXISTS,
        devices.BatchCreateDevices,
        api.BatchCreateDevicesRequest(project=PROJECT, requests=map(creation, ("new", "B-7"))),
        reason="DEVICE_EXISTS",
        fields=["requests[1].device.device_serial"],
    )
    checks.refused(
        "batch with bad items of several kinds",
        StatusCode.INVALID_ARGUMENT,
        devices.BatchCreateDevices,
        api.BatchCreateDevicesRequest(project=PROJECT, requests=map(creation, ("new", "B-7", "new", ""))),
        reason="FIELD_INVALID",
        fields=[f"requests[{index}].device.device_serial" for index in (1, 2, 3)],
    )
    checks.equal("nothing of them is there", remaining(devices), 1000)
    return created


def gets(devices, checks, created):
    request = api.BatchGetDevicesRequest(project=PROJECT, device_serials=["B-9", "B-3"])
    expected = api.BatchGetDevicesResponse(devices=[created.devices[9], created.devices[3]])
    checks.same("devices in the order asked", devices.BatchGetDevices(request), expected)
    request.device_serials.append("absent")
    checks.refused(
        "devices one of which is not there",
        StatusCode.NOT_FOUND,
        devices.BatchGetDevices,
        request,
        reason="DEVICE_NOT_FOUND",
        fields=["device_serials[2]"],
    )


def updates(devices, checks, created):
    first = resources_pb2.Device(device_serial="B-1", owner_ref="日本", etag=created.devices[1].etag)
    second = resources_pb2.Device(device_serial="B-2", owner_ref="ignored", hardware_version="watch-b2")
    request = api.BatchUpdateDevicesRequest(
        project=PROJECT,
        requests=[
            api.UpdateDeviceRequest(device=first),
            api.UpdateDeviceRequest(device=second, update_mask=FieldMask(paths=["hardware_version"])),
        ],
    )
    changed = devices.BatchUpdateDevices(request).devices
    checks.equal("owners", [device.owner_ref for device in changed], ["日本", "Klinik Süd"])
    checks.equal("hardware", [device.hardware_version for device in changed], ["watch-b1", "watch-b2"])
    checks.refused(
        "batch with a stale etag",
        StatusCode.ABORTED,
        devices.BatchUpdateDevices,
        request,
        reason="ETAG_STALE",
        fields=["requests[0].device.etag"],
    )


def deletes(devices, checks):
    def deletion(serials):
        requests = [api.DeleteDeviceRequest(device_serial=serial) for serial in serials]
        return api.BatchDeleteDevicesRequest(project=PROJECT, requests=requests)

    checks.refused(
        "batch with a device that is not there",
        StatusCode.NOT_FOUND,
        devices.BatchDeleteDevices,
        deletion(["B-1", "absent"]),
        reason="DEVICE_NOT_FOUND",
        fields=["requests[1].device_serial"],
    )
    checks.equal("all of them are still there", remaining(devices), 1000)
    devices.BatchDeleteDevices(deletion(SERIALS[:990]))
    checks.equal("990 of them are gone", remaining(devices), 10)


def purges(devices, checks):
    request = purge_pb2.PurgeDevicesRequest(project=PROJECT)
    checks.refused(
        "purge without a filter",
        StatusCode.INVALID_ARGUMENT,
        devices.PurgeDevices,
        request,
        reason="FIELD_INVALID",
        fields=["filter"],
    )
    request.device_serial.extend(SERIALS[995:])
    request.filter = "owner_ref:*"
    request.validate_only = True
    checks.equal("a purge that only counts", devices.PurgeDevices(request).count, 5)
    request.validate_only = False
    request.expected_count.count = 0
    checks.refused(
        "purge of another number than expected",
        StatusCode.FAILED_PRECONDITION,
        devices.PurgeDevices,
        request,
        reason="EXPECTED_COUNT_DIFFERS",
    )
    checks.equal("nothing was purged", remaining(devices), 10)
    request.expected_count.count = 5
    request.request_id = str(uuid.uuid4())
    checks.equal("devices purged", devices.PurgeDevices(request).count, 5)
    checks.equal("devices purged under the same request id", devices.PurgeDevices(request).count, 5)
    checks.equal("the others are there", remaining(devices), 5)
