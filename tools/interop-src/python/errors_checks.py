"""errors with their details, every bad field named, and texts beyond ASCII."""

from google.rpc import error_details_pb2
from grpc import StatusCode
from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import projects_pb2, resources_pb2
from rollcall_wire import CallError


def run(server, checks):
    names_every_bad_field(server, checks)
    says_the_same_on_both_protocols(server, checks)
    refuses_bytes_that_are_no_message(server, checks)
    ignores_unknown_fields(server, checks)


def names_every_bad_field(server, checks):
    device = resources_pb2.Device(device_serial="Ä %", owner_ref="", hardware_version="h w")
    device.cohort.slug = "Größe"
    request = api.CreateDeviceRequest(project="a b", request_id="no UUID", device=device)
    of_device = ("device_serial", "owner_ref", "hardware_version", "cohort.slug")
    fields = ("project", "request_id", *(f"device.{name}" for name in of_device))
    checks.refused(
        "device with six bad fields",
        StatusCode.INVALID_ARGUMENT,
        server.devices.CreateDevice,
        request,
        reason="FIELD_INVALID",
        fields=fields,
    )
    request = api.ListDevicesRequest(sort="größe", page_size=-1, filter="cohort = ")
    checks.refused(
        "list with three bad fields",
        StatusCode.INVALID_ARGUMENT,
        server.devices.ListDevices,
        request,
        reason="FIELD_INVALID",
        fields=("sort", "page_size", "filter"),
    )
    refusal = checks.refused(
        "device that is not there",
        StatusCode.NOT_FOUND,
        server.devices.GetDevice,
        api.GetDeviceRequest(device_serial="absent"),
        reason="DEVICE_NOT_FOUND",
    )
    resources = [(r.resource_type, r.resource_name) for r in refusal.details(error_details_pb2.ResourceInfo)]
    checks.equal("the resource that is not there", resources, [("rollcall.v1.Device", "absent")])


def says_the_same_on_both_protocols(server, checks):
    """Messages travel percent-encoded in a trailer here, as they are on ttrpc; they must arrive alike."""
    devices, projects = server.devices, server.projects
    texts = ("größe = 1", "größe%41 = 1", '"日本 🔋', "cohort = a\nAND\tb%20", "%", "100%% = x", 'x"' + "ü" * 1500)
    calls = [("Devices/ListDevices", devices.ListDevices, {"filter": text}) for text in texts]
    calls += [
        ("Devices/GetDevice", devices.GetDevice, {"device_serial": "absent"}),
        ("Devices/ListDevices", devices.ListDevices, {"page_token": "no token"}),
        ("Devices/CheckIn", devices.CheckIn, {"device_serial": "absent", "time": {"seconds": 1 << 33}}),
        ("Projects/GetCohort", projects.GetCohort, {"cohort": "nope"}),
        ("Projects/DeleteCohort", projects.DeleteCohort, {"cohort": "default"}),
        ("Projects/GetProject", projects.GetProject, {"project": "Ü"}),
    ]
    with server.over_ttrpc() as connection:
        for method, call, fields in calls:
            what = f"{method} with {str(fields)[:60]}"
            code, message = over_ttrpc(connection, f"rollcall.v1.{method}", fields)
            refusal = checks.refused(what, StatusCode[code], call, request_of(method, fields))
            checks.equal(f"{what}, message", refusal.message, message)


def over_ttrpc(connection, method, fields):
    try:
        connection.call(method, fields)
    except CallError as error:
        return error.code, error.message
    return "OK", ""


def request_of(method, fields):
    module = api if method.startswith("Devices/") else projects_pb2
    return getattr(module, f"{method.partition('/')[2]}Request")(**fields)


def raw(server, method):
    """A call that takes and answers bytes as they are."""
    return server.plain_channel.unary_unary(f"/rollcall.v1.{method}")


def refuses_bytes_that_are_no_message(server, checks):
    get = raw(server, "Devices/GetDevice")
    broken = b"\xff\xff\xff"
    checks.refused("broken bytes", StatusCode.INVALID_ARGUMENT, get, broken, reason="MESSAGE_MALFORMED")
    checks.refused("a serial that is no UTF-8", StatusCode.INVALID_ARGUMENT, get, b"\x12\x02\xc3\x28")


def ignores_unknown_fields(server, checks):
    unknown = b"\xfa\x3e\x03abc"
    answer = raw(server, "Projects/GetProject")(unknown, timeout=10)
    checks.equal("a request with an unknown field", resources_pb2.Project.FromString(answer).slug, "default")
