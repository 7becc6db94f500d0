"""many calls at once: threads on one channel, many channels, thousands in flight, large answers."""

import concurrent.futures

from rollcall.v1 import devices_pb2 as api
from rollcall.v1 import devices_pb2_grpc, projects_pb2, resources_pb2

PROJECT = "interop-load"
DEVICE_COUNT = 64
CALLS_PER_THREAD = 50
CHANNEL_COUNT = 32
IN_FLIGHT = 3000
LARGE_DEVICE_COUNT = 1200


def run(server, checks):
    server.projects.CreateProject(projects_pb2.CreateProjectRequest(project=resources_pb2.Project(slug=PROJECT)))
    with concurrent.futures.ThreadPoolExecutor(DEVICE_COUNT) as threads:
        created = threads.map(lambda index: create(server.devices, index), range(DEVICE_COUNT))
        checks.equal("ids given to 64 threads at once", len(set(created)), DEVICE_COUNT)
        answers = list(threads.map(lambda index: reads_its_own(server.devices, index), range(DEVICE_COUNT)))
        checks.equal("64 threads on one channel", sum(answers), DEVICE_COUNT * CALLS_PER_THREAD)
        answers = list(threads.map(lambda index: on_its_own_channel(server, index), range(CHANNEL_COUNT)))
        checks.equal("32 channels at once", sum(answers), CHANNEL_COUNT * CALLS_PER_THREAD)
    has_thousands_in_flight(server, checks)
    answers_pages_of_megabytes(server, checks)


def serial(index):
    return f"T{index}"


def create(devices, index):
    device = resources_pb2.Device(device_serial=serial(index), owner_ref=f"owner {index}", hardware_version="hw1")
    return devices.CreateDevice(api.CreateDeviceRequest(project=PROJECT, device=device), timeout=20).id


def reads_its_own(devices, index):
    """How many of the calls were answered with the device that was asked for."""
    request = api.GetDeviceRequest(project=PROJECT, device_serial=serial(index))
    answers = (devices.GetDevice(request, timeout=20) for _ in range(CALLS_PER_THREAD))
    return sum(answer.owner_ref == f"owner {index}" for answer in answers)


def on_its_own_channel(server, index):
    with server.own_channel() as channel:
        return reads_its_own(devices_pb2_grpc.DevicesStub(channel), index)


def has_thousands_in_flight(server, checks):
    """More than a connection may have at once: the client is told how many that is, and waits."""
    stub = devices_pb2_grpc.DevicesStub(server.plain_channel)
    calls = [
        stub.GetDevice.future(
            api.GetDeviceRequest(project=PROJECT, device_serial=serial(index % DEVICE_COUNT)), timeout=20
        )
        for index in range(IN_FLIGHT)
    ]
    codes = {}
    for call in calls:
        codes[call.code().name] = codes.get(call.code().name, 0) + 1
    checks.equal(f"{IN_FLIGHT} calls at once on one channel", codes, {"OK": IN_FLIGHT})


def answers_pages_of_megabytes(server, checks):
    note = resources_pb2.AttributeUpdate(string_key="note", value=resources_pb2.AttributeValue(string_value="n" * 4096))
    calls = [
        server.devices.CheckIn.future(
            api.CheckInRequest(
                project=PROJECT,
                device_serial=f"large-{index}",
                hardware_version="large",
                create_missing=True,
                attributes=[note],
            ),
            timeout=30,
        )
        for index in range(LARGE_DEVICE_COUNT)
    ]
    checks.equal("devices with an attribute of 4 KiB", {call.code().name for call in calls}, {"OK"})
    request = api.ListDevicesRequest(
        project=PROJECT, hardware_version=["large"], page_size=1000, view=resources_pb2.DEVICE_VIEW_FULL
    )
    sizes, devices = [], []
    while True:
        page = server.devices.ListDevices(request, timeout=20)
        sizes.append(page.ByteSize())
        devices += page.devices
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    checks.equal("devices on all pages", len({device.device_serial for device in devices}), LARGE_DEVICE_COUNT)
    checks.true(f"pages of {sizes} bytes stay within 3 MiB", max(sizes) <= 3 << 20)
    checks.true(f"pages of {sizes} bytes are large", max(sizes) > 2 << 20)
    whole = all(device.attributes[0].state.value.string_value == "n" * 4096 for device in devices)
    checks.true("every attribute arrived whole", whole)
