"""reflection, v1 and v1alpha: every service and message, as the published files have them."""

import kit
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc import StatusCode
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from rollcall.v1 import devices_pb2, projects_pb2, resources_pb2, server_pb2

FILES = tuple(module.DESCRIPTOR for module in (devices_pb2, projects_pb2, resources_pb2, server_pb2))
REQUEST = reflection_pb2.ServerReflectionRequest


def run(server, checks):
    resolves_everything(server, checks)
    for version in ("v1", "v1alpha"):
        answers_on_one_stream(server, checks, version)


def resolves_everything(server, checks):
    """What the stock client makes of it: a pool from which every descriptor can be had."""
    database = ProtoReflectionDescriptorDatabase(server.plain_channel)
    services = set(database.get_services())
    checks.true(f"the services are among {sorted(services)}", services >= set(kit.SERVICES))
    checks.true("health is among them", "grpc.health.v1.Health" in services)
    pool = descriptor_pool.DescriptorPool(database)
    for service in sorted(services):
        checks.equal(f"{service} resolves", pool.FindServiceByName(service).full_name, service)
    for file in FILES:
        copy = pool.FindFileByName(file.name)
        checks.same(f"{file.name}", plain(copy), plain(file))
        for message in file.message_types_by_name.values():
            found = pool.FindMessageTypeByName(message.full_name)
            checks.equal(f"{message.full_name} has its fields", numbers(found), numbers(message))
        for enum in file.enum_types_by_name.values():
            checks.equal(f"{enum.full_name} resolves", pool.FindEnumTypeByName(enum.full_name).name, enum.name)


def plain(file):
    """A file's descriptor without what a compiler may add or leave out."""
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    copy.ClearField("source_code_info")
    for message in copy.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return copy


def numbers(message):
    return [(field.number, field.name, field.type) for field in message.fields]


def answers_on_one_stream(server, checks, version):
    """Both versions have the same messages, so the stock ones serve for v1 too."""
    talk = server.plain_channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=REQUEST.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    questions = [
        REQUEST(list_services=""),
        REQUEST(file_containing_symbol="rollcall.v1.Devices.CreateDevice"),
        REQUEST(file_containing_symbol="rollcall.v1.Nothing"),
        REQUEST(file_by_filename="rollcall/v1/resources.proto"),
        REQUEST(file_by_filename="nothing.proto"),
        REQUEST(file_containing_symbol="rollcall.v1.Device"),
    ]
    answers = list(talk(iter(questions), timeout=20))
    kinds = [answer.WhichOneof("message_response") for answer in answers]
    file, error = "file_descriptor_response", "error_response"
    checks.equal(f"{version}, answers", kinds, ["list_services_response", file, error, file, error, file])
    if len(answers) != len(questions):
        return
    for question, answer in zip(questions, answers):
        checks.same(f"{version}, the question in the answer", answer.original_request, question)
    for index, name in ((1, "rollcall/v1/devices.proto"), (3, "rollcall/v1/resources.proto")):
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(data).name
            for data in answers[index].file_descriptor_response.file_descriptor_proto
        ]
        checks.true(f"{version}, {name} is among {files}", name in files)
    for index in (2, 4):
        checks.equal(f"{version}, code", answers[index].error_response.error_code, StatusCode.NOT_FOUND.value[0])
