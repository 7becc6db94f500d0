"""What the groups of checks share: how a check is made and counted, and how the daemon under test is reached."""

import contextlib
import dataclasses
import pathlib
import time

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from rollcall.v1 import devices_pb2_grpc, projects_pb2_grpc, server_pb2_grpc
from rollcall_wire import Connection

SERVICES = ("rollcall.v1.Devices", "rollcall.v1.Projects", "rollcall.v1.Server")
CALL_SECONDS_MAX = 20
DETAILS_KEY = "grpc-status-details-bin"


class Checks:
    """The checks of one group: how many were made, and a sentence for each that failed."""

    def __init__(self):
        self.count = 0
        self.problems = []

    def true(self, what, holds):
        self.count += 1
        if not holds:
            self.problems.append(f"{what}: not so")

    def equal(self, what, actual, expected):
        self.count += 1
        if actual != expected:
            self.problems.append(f"{what}: {shown(actual)}, not {shown(expected)}")

    def contains(self, what, text, part):
        self.count += 1
        if part not in text:
            self.problems.append(f"{what}: {shown(part)} is not in {shown(text)}")

    def same(self, what, actual, expected):
        """Compares two messages field by field; each field that is in one of them is a check."""
        have, want = fields_of(actual), fields_of(expected)
        for path in sorted(have.keys() | want.keys()):
            self.equal(f"{what}, {path}", have.get(path), want.get(path))
        self.equal(f"{what}, as bytes", serialized(actual), serialized(expected))

    def recent(self, what, timestamp, since):
        """A time that the server set: whole microseconds, between `since` (seconds) and now."""
        seconds = timestamp.seconds + timestamp.nanos / 1e9
        self.true(f"{what} {seconds} lies between {since} and now", since - 0.001 <= seconds <= time.time() + 0.001)
        self.equal(f"{what}, below a microsecond", timestamp.nanos % 1000, 0)

    def refused(self, what, code, call, *arguments, reason=None, fields=None, **options):
        """Makes a call that must end with `code`, and holds what every refusal must have against it.

        With a `reason`, the answer must be one of Rollcall's own: a status in the trailers that agrees with the code
        and message, one ErrorInfo, and, if `fields` are given, a BadRequest that names exactly these.
        """
        try:
            call(*arguments, **({"timeout": CALL_SECONDS_MAX} | options))
        except grpc.RpcError as error:
            refusal = Refusal.of(error)
        else:
            self.equal(f"{what}, code", "OK", code.name)
            return Refusal()
        self.equal(f"{what}, code", refusal.code, code.name)
        if reason:
            self.true(f"{what}, message", refusal.message)
            self.equal(f"{what}, code in the details", refusal.status.code, code.value[0])
            self.equal(f"{what}, message in the details", refusal.status.message, refusal.message)
            infos = [(info.domain, info.reason) for info in refusal.details(error_details_pb2.ErrorInfo)]
            self.equal(f"{what}, ErrorInfo", infos, [("rollcall", reason)])
        if fields:
            requests = refusal.details(error_details_pb2.BadRequest)
            violations = [violation for request in requests for violation in request.field_violations]
            self.equal(f"{what}, bad fields", sorted(v.field for v in violations), sorted(fields))
            self.true(f"{what}, a description for each", all(violation.description for violation in violations))
        return refusal


@dataclasses.dataclass
class Refusal:
    """How a call ended that was not answered."""

    code: str = "OK"
    message: str = ""
    status: status_pb2.Status = dataclasses.field(default_factory=status_pb2.Status)

    @classmethod
    def of(cls, error):
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get(DETAILS_KEY, b""))
        return cls(error.code().name, error.details() or "", status)

    def details(self, kind):
        """The details that are messages of this kind."""
        found = []
        for detail in self.status.details:
            if detail.Is(kind.DESCRIPTOR):
                found.append(kind())
                detail.Unpack(found[-1])
        return found


class Recorder(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Remembers which methods were called, so that one that no check calls is found."""

    def __init__(self):
        self.methods = set()

    def intercept(self, continuation, details, request):
        self.methods.add(details.method.lstrip("/"))
        return continuation(details, request)

    intercept_unary_unary = intercept_unary_stream = intercept
    intercept_stream_unary = intercept_stream_stream = intercept


class Server:
    """The daemon under test and a channel to it."""

    def __init__(self, socket, pid, schema):
        self.socket = socket
        self.pid = pid
        self.schema = schema
        self.recorder = Recorder()
        self.plain_channel = self.new_channel()
        self.channel = grpc.intercept_channel(self.plain_channel, self.recorder)
        self.devices = devices_pb2_grpc.DevicesStub(self.channel)
        self.projects = projects_pb2_grpc.ProjectsStub(self.channel)
        self.server = server_pb2_grpc.ServerStub(self.channel)

    def new_channel(self, **options):
        """A channel with a connection of its own; grpcio would share one between equal channels."""
        settings = [("grpc.use_local_subchannel_pool", 1), *options.pop("settings", ())]
        return grpc.insecure_channel(f"unix://{self.socket}", options=settings, **options)

    @contextlib.contextmanager
    def own_channel(self, **options):
        channel = self.new_channel(**options)
        try:
            yield channel
        finally:
            channel.close()

    def over_ttrpc(self):
        """A ttrpc connection to the same socket."""
        return Connection(self.schema, self.socket, CALL_SECONDS_MAX)

    def resident_bytes(self):
        """What the daemon takes in memory."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise OSError(f"process {self.pid} has no memory: it has ended")


def fields_of(message):
    """A message as a dict of path to value: `{"cohort.slug": "beta", "attributes[0].state.value.int_value": 5, …}`."""
    found = {}

    def walk(path, value):
        if isinstance(value, dict):
            for key, member in value.items():
                walk(f"{path}.{key}" if path else key, member)
        elif isinstance(value, list):
            for index, member in enumerate(value):
                walk(f"{path}[{index}]", member)
        else:
            found[path] = value

    walk("", json_format.MessageToDict(message, preserving_proto_field_name=True))
    return found


def serialized(message):
    return message.SerializeToString(deterministic=True)


def shown(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"
