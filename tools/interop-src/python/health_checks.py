"""health of the whole server and of each service, asked and watched."""

import kit
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

STATUS = health_pb2.HealthCheckResponse


def run(server, checks):
    stub = health_pb2_grpc.HealthStub(server.plain_channel)
    for service in ("", *kit.SERVICES):
        request = health_pb2.HealthCheckRequest(service=service)
        answer = stub.Check(request, timeout=10)
        checks.same(f"health of '{service}'", answer, STATUS(status=STATUS.SERVING))
        watch = stub.Watch(request, timeout=10)
        checks.same(f"health of '{service}', watched", next(watch), STATUS(status=STATUS.SERVING))
        watch.cancel()
    unknown = health_pb2.HealthCheckRequest(service="rollcall.v1.Nothing")
    checks.refused("health of an unknown service", StatusCode.NOT_FOUND, stub.Check, unknown)
    watch = stub.Watch(unknown, timeout=10)
    checks.same("health of an unknown service, watched", next(watch), STATUS(status=STATUS.SERVICE_UNKNOWN))
    watch.cancel()
    watches = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=20) for _ in range(100)]
    checks.equal("a hundred watches", {next(watch).status for watch in watches}, {STATUS.SERVING})
    for watch in watches:
        watch.cancel()
    answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
    checks.equal("and health after them", answer.status, STATUS.SERVING)
