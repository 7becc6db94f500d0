"""imports and exports: streams both ways, with progress and with failures that spoil nothing else."""

import time

from grpc import StatusCode
from rollcall.v1 import bulk_pb2 as bulk
from rollcall.v1 import projects_pb2, resources_pb2

PROJECT = "interop-bulk"
ITEM_COUNT = 3_500
MESSAGE_ITEM_COUNT = 700


def run(server, checks):
    server.projects.CreateProject(projects_pb2.CreateProjectRequest(project=resources_pb2.Project(slug=PROJECT)))
    imports(server.devices, checks)
    exports(server.devices, checks)
    upserts(server.devices, checks)
    refuses(server.devices, checks)


def item(index, **fields):
    made = bulk.ImportItem(create_cohort=True)
    made.device.device_serial = f"B{index:05}"
    made.device.owner_ref, made.device.hardware_version = f"owner-{index % 9}", "hw+1"
    if index % 2:
        made.device.last_seen.seconds = int(time.time()) - 1000 - index
        made.device.last_seen_release.version = f"5.{index % 3}"
        attribute = made.device.attributes.add()
        attribute.custom_metric.string_key = "Battery"
        attribute.state.value.int_value = index
        attribute.state.time.seconds = made.device.last_seen.seconds - 5
    made.device.cohort.slug = "bulk" if index % 5 == 0 else ""
    made.device.MergeFrom(resources_pb2.Device(**fields))
    return made


def requests(items, **settings):
    """Messages of some hundred items; the first one tells how to import."""
    yield bulk.ImportDevicesRequest(project=PROJECT, **settings)
    for start in range(0, len(items), MESSAGE_ITEM_COUNT):
        yield bulk.ImportDevicesRequest(items=items[start : start + MESSAGE_ITEM_COUNT])


def counts(message):
    return message.accepted_through, message.created, message.updated, message.failed


def imports(devices, checks):
    items = [item(index) for index in range(ITEM_COUNT)]
    items[7].device.hardware_version = "no good"
    items[3_000].device.device_serial = "B00001"
    tried = list(devices.ImportDevices(requests(items[:100], validate_only=True)))
    checks.equal("a validation's end", counts(tried[-1]), (100, 99, 0, 1))
    progress = list(devices.ImportDevices(requests(items)))
    through = [message.accepted_through for message in progress]
    checks.equal("progress only grows", through, sorted(through))
    checks.true("there is more than one message", len(progress) > 3)
    checks.equal("the end", counts(progress[-1]), (ITEM_COUNT, ITEM_COUNT - 2, 0, 2))
    last = len(progress) - 1
    checks.equal("the summary", [index for index, message in enumerate(progress) if message.done], [last])
    failures = [failure for message in progress[:-1] for failure in message.failures]
    checks.equal("the summary repeats the failures", list(progress[-1].failures), failures)
    checks.equal("positions", [failure.position for failure in failures], [8, 3_001])
    codes = [failure.status.code for failure in failures]
    checks.equal("codes", codes, [StatusCode.INVALID_ARGUMENT.value[0], StatusCode.ALREADY_EXISTS.value[0]])
    checks.contains("the first reason", failures[0].status.message, "hardware_version")


def exports(devices, checks):
    messages = list(devices.ExportDevices(bulk.ExportDevicesRequest(project=PROJECT)))
    found = [device for message in messages for device in message.devices]
    checks.true("there is more than one message", len(messages) > 1)
    checks.equal("devices", len(found), ITEM_COUNT - 2)
    checks.equal("by id", [device.id for device in found], sorted(device.id for device in found))
    wanted, device = item(1).device, found[1]
    checks.equal("an attribute's time", device.last_seen.seconds - device.attributes[0].state.time.seconds, 5)
    checks.equal("an attribute's value", device.attributes[0].state.value.int_value, 1)
    checks.equal("the release", device.last_seen_release.version, wanted.last_seen_release.version)
    checks.equal("a cohort that was created", found[0].cohort.slug, "bulk")
    basic = bulk.ExportDevicesRequest(
        project=PROJECT, view=resources_pb2.DEVICE_VIEW_BASIC, cohort=["bulk"], filter="owner_ref = owner-0"
    )
    found = [device for message in devices.ExportDevices(basic) for device in message.devices]
    checks.equal("of one owner", {(device.owner_ref, device.cohort.slug) for device in found}, {("owner-0", "bulk")})
    checks.true("without attributes", not any(device.attributes for device in found))
    none = list(devices.ExportDevices(bulk.ExportDevicesRequest(project=PROJECT, owner_ref=["nobody"])))
    checks.equal("no match, no message", none, [])


def upserts(devices, checks):
    items = [item(0, owner_ref="new owner"), item(90_000)]
    end = list(devices.ImportDevices(requests(items, mode=bulk.IMPORT_MODE_UPSERT)))[-1]
    checks.equal("an upsert's end", counts(end), (2, 1, 1, 0))
    request = bulk.ExportDevicesRequest(project=PROJECT, device_serial=["B00000"])
    device = next(devices.ExportDevices(request)).devices[0]
    checks.equal("the owner", device.owner_ref, "new owner")
    checks.equal("the end of an empty import", counts(list(devices.ImportDevices(iter(())))[-1]), (0, 0, 0, 0))


def refuses(devices, checks):
    def imported(message, timeout):
        return list(devices.ImportDevices(iter([message]), timeout=timeout))

    def exported(request, timeout):
        return list(devices.ExportDevices(request, timeout=timeout))

    missing, bad = bulk.ImportDevicesRequest(project="absent"), bulk.ImportDevicesRequest(project="a b", mode=9)
    checks.refused("no such project", StatusCode.NOT_FOUND, imported, missing, reason="PROJECT_NOT_FOUND")
    invalid = StatusCode.INVALID_ARGUMENT
    checks.refused("bad settings", invalid, imported, bad, reason="FIELD_INVALID", fields=["project", "mode"])
    bad = bulk.ExportDevicesRequest(project=PROJECT, filter="colour = red", view=7)
    checks.refused("a bad export", invalid, exported, bad, reason="FIELD_INVALID", fields=["view", "filter"])
