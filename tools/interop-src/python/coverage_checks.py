"""no method of rollcall.v1 is left out by the groups before."""

from rollcall.v1 import devices_pb2, projects_pb2, server_pb2


def run(server, checks):
    for module in (devices_pb2, projects_pb2, server_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                name = f"{service.full_name}/{method.name}"
                checks.true(f"{name} is called by a check in tools/interop-src/python", name in server.recorder.methods)
