"""every operation on a device, field by field."""

import time
import uuid

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import projects_pb2, resources_pb2

PROJECT = "interop-devices"
REVISION = "11d95ef20f7a048ce1da1a6891dd3e2f92c89d85"


def run(server, checks):
    server.projects.CreateProject(projects_pb2.CreateProjectRequest(project=resources_pb2.Project(slug=PROJECT)))
    for slug, name in (("beta", "Betatester Süd"), ("lab", "")):
        cohort = resources_pb2.Cohort(slug=slug, name=name)
        server.projects.CreateCohort(projects_pb2.CreateCohortRequest(project=PROJECT, cohort=cohort))
    device = creates(server.devices, checks)
    device = updates(server.devices, checks, device)
    device = checks_in(server.devices, checks, device)
    streams_check_ins(server.devices, checks)
    sets_attributes(server.devices, checks, device)
    deletes(server.devices, checks)


def create_request(serial, **fields):
    device = resources_pb2.Device(device_serial=serial, owner_ref="Klinik Süd 100 %", hardware_version="watch-b1.1")
    request = api.CreateDeviceRequest(project=PROJECT, device=device)
    request.device.cohort.slug = "beta"
    request.MergeFrom(api.CreateDeviceRequest(**fields))
    return request


def get(devices, serial, view=resources_pb2.DEVICE_VIEW_UNSPECIFIED):
    return devices.GetDevice(api.GetDeviceRequest(project=PROJECT, device_serial=serial, view=view))


def creates(devices, checks):
    began = time.time()
    tried = devices.CreateDevice(create_request("AB:CD-1.2_3", validate_only=True))
    checks.equal("a device that is only checked, serial", tried.device_serial, "AB:CD-1.2_3")
    request = create_request("AB:CD-1.2_3", request_id=str(uuid.uuid4()))
    created = devices.CreateDevice(request)
    checks.true("id is positive", created.id > 0)
    checks.true("there is an etag", created.etag)
    checks.recent("created_date", created.created_date, began)
    expected = resources_pb2.Device(
        id=created.id,
        created_date=created.created_date,
        updated_date=created.created_date,
        device_serial="AB:CD-1.2_3",
        owner_ref="Klinik Süd 100 %",
        hardware_version="watch-b1.1",
        cohort=resources_pb2.Cohort(id=created.cohort.id, name="Betatester Süd", slug="beta"),
        etag=created.etag,
    )
    checks.true("the cohort has an id", created.cohort.id > 0)
    checks.same("created", created, expected)
    checks.same("created again under its request id", devices.CreateDevice(request), expected)
    checks.same("read", get(devices, "AB:CD-1.2_3"), expected)
    checks.same("read in full", get(devices, "AB:CD-1.2_3", resources_pb2.DEVICE_VIEW_FULL), expected)
    return expected


def updates(devices, checks, before):
    """By mask, by what is populated, and of a device that is not there yet."""
    began = time.time()
    change = resources_pb2.Device(device_serial=before.device_serial, owner_ref="ignored", hardware_version="watch-b2")
    change.etag = before.etag
    mask = FieldMask(paths=["hardware_version"])
    request = api.UpdateDeviceRequest(project=PROJECT, device=change, update_mask=mask)
    after = devices.UpdateDevice(request)
    expected = resources_pb2.Device()
    expected.CopyFrom(before)
    expected.hardware_version = "watch-b2"
    expected.etag = after.etag
    expected.updated_date.CopyFrom(after.updated_date)
    checks.true("the etag has changed", after.etag != before.etag)
    checks.recent("updated_date", after.updated_date, began)
    checks.same("updated by mask", after, expected)
    checks.refused("updated with the old etag", StatusCode.ABORTED, devices.UpdateDevice, request, reason="ETAG_STALE")

    change = resources_pb2.Device(device_serial=before.device_serial, owner_ref="日本の顧客")
    change.cohort.slug = "lab"
    after = devices.UpdateDevice(api.UpdateDeviceRequest(project=PROJECT, device=change))
    expected.owner_ref = "日本の顧客"
    expected.cohort.CopyFrom(resources_pb2.Cohort(id=after.cohort.id, name="lab", slug="lab"))
    expected.etag = after.etag
    expected.updated_date.CopyFrom(after.updated_date)
    checks.same("updated by what is populated", after, expected)

    other = resources_pb2.Device(device_serial="UPSERTED", owner_ref="ada", hardware_version="hw1")
    created = devices.UpdateDevice(api.UpdateDeviceRequest(project=PROJECT, device=other, allow_missing=True))
    checks.equal("created by an update, serial", created.device_serial, "UPSERTED")
    checks.equal("created by an update, cohort", created.cohort.slug, "default")
    checks.true("ids rise", created.id > before.id)
    return expected


def checks_in(devices, checks, before):
    seen = Timestamp(seconds=int(time.time()) - 3600, nanos=123_456_000)
    release = resources_pb2.Release(version="4.2.1", revision=REVISION)
    request = api.CheckInRequest(
        project=PROJECT, device_serial=before.device_serial, time=seen, release=release
    )
    after = devices.CheckIn(request)
    before.last_seen.CopyFrom(seen)
    before.last_seen_release.CopyFrom(
        resources_pb2.Release(id=after.last_seen_release.id, version="4.2.1", revision=REVISION)
    )
    checks.true("the release has an id", after.last_seen_release.id > 0)
    checks.same("checked in", after, before)
    request.time.seconds -= 60
    request.release.version = "4.2.0"
    checks.same("checked in with an older time", devices.CheckIn(request), before)

    began = time.time()
    update = resources_pb2.AttributeUpdate(string_key="battery", value=resources_pb2.AttributeValue(int_value=87))
    unknown = api.CheckInRequest(
        project=PROJECT, device_serial="NEW", hardware_version="strap-c1", create_missing=True, attributes=[update]
    )
    found = devices.CheckIn(unknown)
    checks.equal("registered by a check-in, owner", found.owner_ref, "")
    checks.equal("registered by a check-in, hardware version", found.hardware_version, "strap-c1")
    checks.true("registered by a check-in, without a release", not found.HasField("last_seen_release"))
    checks.recent("registered by a check-in, last_seen", found.last_seen, began)
    full = get(devices, "NEW", resources_pb2.DEVICE_VIEW_FULL)
    checks.equal("registered by a check-in, battery", full.attributes[0].state.value.int_value, 87)
    return before


def streams_check_ins(devices, checks):
    """Sent one after another and ahead of their acknowledgements, with bad ones among them."""

    def check_in(number):
        serial = "no serial" if number % 10 == 3 else f"STREAM-{number}"
        create = number % 10 != 5
        return api.CheckInRequest(
            project=PROJECT, device_serial=serial, hardware_version="strap-c1", create_missing=create
        )

    acknowledgements = list(devices.CheckInStream(check_in(number) for number in range(2000)))
    checks.equal("positions", [one.position for one in acknowledgements], list(range(1, 2001)))
    codes = {3: StatusCode.INVALID_ARGUMENT.value[0], 5: StatusCode.NOT_FOUND.value[0]}
    for number, one in enumerate(acknowledgements):
        code = codes.get(number % 10, 0)
        checks.equal(f"code of check-in {number}", one.status.code, code)
        checks.equal(f"device of check-in {number}", one.device.device_serial, "" if code else f"STREAM-{number}")
    checks.equal("nothing is sent, nothing acknowledged", list(devices.CheckInStream(iter(()))), [])


def sets_attributes(devices, checks, before):
    """One of each type; then one of them read by pattern, one unset, and all the others replaced."""
    began = time.time()
    value, update = resources_pb2.AttributeValue, resources_pb2.AttributeUpdate
    taken = Timestamp(seconds=1_700_000_000, nanos=1_000)
    updates = [
        update(string_key="Note", value=value(string_value="zurück — 🔋"), time=taken),
        update(string_key="battery", value=value(int_value=-(2**63))),
        update(string_key="calibrated", value=value(bool_value=False)),
        update(string_key="temperature", value=value(float_value=-0.5)),
    ]
    request = api.UpdateDeviceAttributesRequest(
        project=PROJECT, device_serial=before.device_serial, attributes=updates, etag=before.etag
    )
    answer = devices.UpdateDeviceAttributes(request)
    expected = api.UpdateDeviceAttributesResponse(etag=answer.etag)
    types = {
        "battery": resources_pb2.DATA_TYPE_INT,
        "calibrated": resources_pb2.DATA_TYPE_BOOL,
        "Note": resources_pb2.DATA_TYPE_STRING,
        "temperature": resources_pb2.DATA_TYPE_FLOAT,
    }
    for (key, data_type), actual in zip(types.items(), answer.attributes):
        sent = next(sent for sent in updates if sent.string_key == key)
        attribute = expected.attributes.add()
        attribute.CopyFrom(actual)
        attribute.custom_metric.string_key, attribute.custom_metric.data_type = key, data_type
        attribute.state.value.CopyFrom(sent.value)
        if sent.HasField("time"):
            attribute.state.time.CopyFrom(sent.time)
        checks.equal(f"{key}, its id is a UUID", str(uuid.UUID(actual.custom_metric.id)), actual.custom_metric.id)
        checks.recent(f"{key}, updated_date", actual.state.updated_date, began)
    checks.true("the etag has changed", answer.etag != before.etag)
    checks.same("attributes set", answer, expected)
    asked = api.GetDeviceAttributesRequest(project=PROJECT, device_serial=before.device_serial)
    everything = devices.GetDeviceAttributes(asked)
    checks.same("attributes read", everything, api.GetDeviceAttributesResponse.FromString(expected.SerializeToString()))
    asked.key_pattern = "*TE*"
    keys = [attribute.custom_metric.string_key for attribute in devices.GetDeviceAttributes(asked).attributes]
    checks.equal("attributes by pattern", keys, keys_like(types))

    unset = api.UpdateDeviceAttributesRequest(project=PROJECT, device_serial=before.device_serial)
    unset.attributes.add(string_key="note")
    keys = [attribute.custom_metric.string_key for attribute in devices.UpdateDeviceAttributes(unset).attributes]
    checks.equal("attributes after one is unset", keys, ["battery", "calibrated", "temperature"])
    replace = api.UpdateDeviceAttributesRequest(
        project=PROJECT, device_serial=before.device_serial, mode=api.UPDATE_MODE_REPLACE
    )
    replace.attributes.add(string_key="battery").value.int_value = 5
    answer = devices.UpdateDeviceAttributes(replace)
    checks.equal("attributes replaced", [a.state.value.int_value for a in answer.attributes], [5])


def keys_like(types):
    """The keys that hold "te", whatever their case."""
    return [key for key in types if "te" in key.lower()]


def deletes(devices, checks):
    request = api.DeleteDeviceRequest(project=PROJECT, device_serial="UPSERTED")
    checks.same("deleted", devices.DeleteDevice(request), api.DeleteDeviceResponse())
    checks.refused(
        "deleted twice", StatusCode.NOT_FOUND, devices.DeleteDevice, request, reason="DEVICE_NOT_FOUND"
    )
    request.allow_missing = True
    checks.same("deleted if there", devices.DeleteDevice(request), api.DeleteDeviceResponse())
    gone = api.GetDeviceRequest(project=PROJECT, device_serial="UPSERTED")
    checks.refused("read after that", StatusCode.NOT_FOUND, devices.GetDevice, gone, reason="DEVICE_NOT_FOUND")
