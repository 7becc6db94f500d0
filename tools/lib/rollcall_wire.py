"""A small synchronous client for ttrpc on a Unix socket, for the tools: Python 3 and nothing else.

The messages come from the proto files themselves, which are read at start, so this module names no field:

    schema = Schema.load(ROOT / "proto")
    with Connection(schema, "/run/rollcall/rollcall.sock") as connection:
        device = connection.call("rollcall.v1.Devices/GetDevice", {"device_serial": "ABCD1234"})

A message is a dict of field name to value; a field that is absent or at its default is left out of it. Enum values are
given and shown by name, timestamps and durations as dicts of seconds and nanos.
"""

import re
import socket
import struct

FRAME_HEADER = struct.Struct(">IIBB")
FRAME_REQUEST, FRAME_RESPONSE = 1, 2
MESSAGE_BYTE_COUNT_MAX = 4 << 20

CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
).split()

VARINT_TYPES = {"bool", "int32", "int64", "uint32", "uint64"}
FIXED_TYPES = {"double": struct.Struct("<d"), "float": struct.Struct("<f")}


class CallError(Exception):
    """A call that the server refused."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class WireError(Exception):
    """Bytes that are not what the protocol allows."""


# Protobuf.


def encode_varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise WireError("a varint does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7


class Field:
    def __init__(self, name, number, type_name, is_repeated, in_oneof):
        self.name, self.number, self.type_name = name, number, type_name
        self.is_repeated, self.in_oneof = is_repeated, in_oneof


class Schema:
    """The messages, enums and methods of a folder of proto3 files."""

    def __init__(self):
        self.messages = {}  # full name → {field name: Field}
        self.enums = {}  # full name → {value name: number}
        self.methods = {}  # "package.Service/Method" → (request, response)

    @classmethod
    def load(cls, folder):
        schema = cls()
        for path in sorted(folder.rglob("*.proto")):
            ProtoReader(schema, path.read_text()).read_file()
        schema.resolve()
        return schema

    def resolve(self):
        """Replaces type names by full ones, looking outwards from where they stand."""
        known = self.messages.keys() | self.enums.keys()

        def full(name, scope):
            if name in VARINT_TYPES or name in FIXED_TYPES or name in ("string", "bytes"):
                return name
            while True:
                candidate = f"{scope}.{name}" if scope else name
                if candidate in known:
                    return candidate
                if not scope:
                    raise WireError(f"the proto files use {name} but do not define it")
                scope = scope.rpartition(".")[0]

        for message, fields in self.messages.items():
            for field in fields.values():
                field.type_name = full(field.type_name.lstrip("."), message)
        for method, (request, response) in self.methods.items():
            scope = method.rpartition(".")[0]
            self.methods[method] = full(request, scope), full(response, scope)

    def encode(self, name, message):
        fields = self.messages[name]
        out = bytearray()
        for key, value in message.items():
            field = fields.get(key)
            if field is None:
                raise WireError(f"{name} has no field {key}")
            for item in value if field.is_repeated else [value]:
                self.encode_field(field, item, out)
        return bytes(out)

    def encode_field(self, field, value, out):
        kind, tag = field.type_name, field.number << 3
        if kind in self.enums:
            kind, value = "int32", self.enums[kind][value]
        if kind in VARINT_TYPES:
            if value or field.in_oneof or field.is_repeated:
                out += encode_varint(tag) + encode_varint(int(value))
        elif kind in FIXED_TYPES:
            if value or field.in_oneof or field.is_repeated:
                out += encode_varint(tag | (1 if kind == "double" else 5)) + FIXED_TYPES[kind].pack(value)
        else:
            is_message = kind in self.messages
            data = self.encode(kind, value) if is_message else value.encode() if kind == "string" else value
            if data or is_message or field.in_oneof or field.is_repeated:
                out += encode_varint(tag | 2) + encode_varint(len(data)) + data

    def decode(self, name, data):
        by_number = {field.number: field for field in self.messages[name].values()}
        message, at = {}, 0
        while at < len(data):
            tag, at = decode_varint(data, at)
            field, wire_type = by_number.get(tag >> 3), tag & 7
            if wire_type == 0:
                raw, at = decode_varint(data, at)
            elif wire_type in (1, 5):
                count = 8 if wire_type == 1 else 4
                raw, at = data[at : at + count], at + count
            elif wire_type == 2:
                count, at = decode_varint(data, at)
                raw, at = data[at : at + count], at + count
            else:
                raise WireError(f"{name} holds wire type {wire_type}")
            if at > len(data):
                raise WireError(f"{name} ends inside a field")
            if field is None:
                continue
            value = self.decode_value(field, raw)
            if field.is_repeated:
                message.setdefault(field.name, []).append(value)
            else:
                message[field.name] = value
        return message

    def decode_value(self, field, raw):
        kind = field.type_name
        if kind in self.messages:
            return self.decode(kind, raw)
        if kind in self.enums:
            return next((name for name, number in self.enums[kind].items() if number == raw), raw)
        if kind in FIXED_TYPES:
            return FIXED_TYPES[kind].unpack(raw)[0]
        if kind == "string":
            return raw.decode()
        if kind == "bool":
            return bool(raw)
        if kind in ("int32", "int64") and raw >= 1 << 63:
            return raw - (1 << 64)
        return raw


class ProtoReader:
    """Reads the part of the proto3 language that the published files use."""

    TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_.][\w.]*|-?\d+|[{}()\[\]<>=;,]')

    def __init__(self, schema, text):
        text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
        self.tokens = iter(self.TOKEN.findall(text))
        self.schema = schema
        self.package = ""

    def next(self):
        return next(self.tokens)

    def skip_to(self, end):
        while self.next() != end:
            pass

    def read_file(self):
        for token in self.tokens:
            if token == "package":
                self.package = self.next()
                self.skip_to(";")
            elif token == "message":
                self.read_message(self.package)
            elif token == "enum":
                self.read_enum(self.package)
            elif token == "service":
                self.read_service()
            else:
                self.skip_to(";")

    def read_message(self, scope):
        name = f"{scope}.{self.next()}"
        self.next()
        self.read_fields(name, self.schema.messages.setdefault(name, {}), in_oneof=False)

    def read_fields(self, name, fields, in_oneof):
        while (token := self.next()) != "}":
            if token == "message":
                self.read_message(name)
            elif token == "enum":
                self.read_enum(name)
            elif token == "oneof":
                self.next()
                self.next()
                self.read_fields(name, fields, in_oneof=True)
            elif token in ("option", "reserved"):
                self.skip_to(";")
            elif token != ";":
                is_repeated = token in ("repeated", "map")
                type_name = self.next() if token == "repeated" else token
                if token == "map":
                    type_name = self.read_map(name)
                field_name, _, number = self.next(), self.next(), int(self.next())
                self.skip_to(";")
                fields[field_name] = Field(field_name, number, type_name, is_repeated, in_oneof)

    def read_map(self, scope):
        """A map is a list of entries on the wire, and is shown as one. Returns the entry's name."""
        _, key, _, value, _ = (self.next() for _ in range(5))
        name = f"{scope}.{key}To{value.replace('.', '_')}Entry"
        self.schema.messages[name] = {
            "key": Field("key", 1, key, False, False),
            "value": Field("value", 2, value, False, False),
        }
        return name

    def read_enum(self, scope):
        values = self.schema.enums.setdefault(f"{scope}.{self.next()}", {})
        self.next()
        while (token := self.next()) != "}":
            if token not in ("option", "reserved", ";"):
                self.next()
                values[token] = int(self.next())
            if token != ";":
                self.skip_to(";")

    def read_service(self):
        service = f"{self.package}.{self.next()}"
        self.next()
        while (token := self.next()) != "}":
            if token != "rpc":
                continue
            method, words = self.next(), []
            while (token := self.next()) not in (";", "{"):
                words.append(token)
            if token == "{":
                self.skip_to("}")
            request, response = (word for word in words if word not in ("(", ")", "stream", "returns"))
            self.schema.methods[f"{service}/{method}"] = request, response


# ttrpc.


def request_frame(schema, stream, method, request, timeout_seconds=0):
    """The bytes of one unary call."""
    service, _, name = method.partition("/")
    envelope = {
        "service": service,
        "method": name,
        "payload": schema.encode(schema.methods[method][0], request),
        "timeout_nano": int(timeout_seconds * 1e9),
    }
    data = schema.encode("ttrpc.Request", envelope)
    return FRAME_HEADER.pack(len(data), stream, FRAME_REQUEST, 0) + data


class Connection:
    """One connection, with one call at a time."""

    def __init__(self, schema, path, timeout_seconds=30):
        self.schema = schema
        self.stream = 1
        self.timeout_seconds = timeout_seconds
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.socket.settimeout(timeout_seconds)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def call(self, method, request):
        """Calls `method` and returns its reply. CallError: refused; OSError: the connection broke, outcome unknown."""
        stream, self.stream = self.stream, self.stream + 2
        self.socket.sendall(request_frame(self.schema, stream, method, request, self.timeout_seconds))
        while True:
            length, answered, kind, _ = FRAME_HEADER.unpack(self.receive(FRAME_HEADER.size))
            if length > MESSAGE_BYTE_COUNT_MAX:
                raise WireError(f"a reply of {length} bytes was announced")
            data = self.receive(length)
            if answered == stream and kind == FRAME_RESPONSE:
                break
        response = self.schema.decode("ttrpc.Response", data)
        status = response.get("status", {})
        if code := status.get("code", 0):
            raise CallError(CODES[code] if code < len(CODES) else str(code), status.get("message", ""))
        return self.schema.decode(self.schema.methods[method][1], response.get("payload", b""))

    def receive(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionResetError("the server closed the connection")
            data += part
        return bytes(data)
