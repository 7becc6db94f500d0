"""The calls of rollcall_wire over gRPC, by stock grpcio: for a program that runs under a Python that has it.

`run_with_grpcio` starts the calling program anew under the Python that tools/interop installs into .build/interop.
"""

import os
import sys

from interop_environment import Environment, Unreachable
from rollcall_daemon import ROOT
from rollcall_wire import CallError

# In the environment of a program that was started anew: the reason where that had to be without grpcio.
STARTED_ANEW = "ROLLCALL_TOOL_WITHOUT_GRPCIO"


def run_with_grpcio():
    """Starts this program anew where grpcio is; returns there, with None, or with the reason why it cannot be had."""
    if STARTED_ANEW in os.environ:
        return os.environ[STARTED_ANEW] or None
    environment = Environment(ROOT / ".build/interop")
    python, reason = sys.executable, ""
    try:
        environment.install_python()
        python = str(environment.python)
    except Unreachable as error:
        reason = str(error)
    # Processes are started while calls are made, which grpcio would otherwise take notice of.
    settings = {STARTED_ANEW: reason, "GRPC_ENABLE_FORK_SUPPORT": "false", "GRPC_VERBOSITY": "NONE"}
    os.execve(python, [python, *sys.argv], os.environ | settings)


class GRPCConnection:
    """One connection with one call at a time, with the interface and the errors of rollcall_wire.Connection."""

    def __init__(self, schema, path, timeout_seconds=30):
        import grpc

        self.grpc, self.schema, self.timeout_seconds = grpc, schema, timeout_seconds
        # Connections of their own, and none that comes back after it broke.
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(f"unix:{path}", options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def call(self, method, request):
        """Calls `method` and returns its reply. CallError: refused; OSError: the connection broke, outcome unknown."""
        request_type, reply_type = self.schema.methods[method]
        call = self.channel.unary_unary(f"/{method}")
        with self.translated_errors():
            return self.schema.decode(reply_type, call(self.schema.encode(request_type, request), self.timeout_seconds))

    def exchange(self, method, requests):
        """Sends every request on one call and gives the replies as they come."""
        request_type, reply_type = self.schema.methods[method]
        call = self.channel.stream_stream(f"/{method}")
        with self.translated_errors():
            encoded = (self.schema.encode(request_type, request) for request in requests)
            for reply in call(encoded, self.timeout_seconds):
                yield self.schema.decode(reply_type, reply)

    def translated_errors(self):
        return TranslatedErrors(self.grpc)


class TranslatedErrors:
    """Turns what grpcio raises into the errors of rollcall_wire."""

    def __init__(self, grpc):
        self.grpc = grpc

    def __enter__(self):
        pass

    def __exit__(self, _, error, __):
        if not isinstance(error, self.grpc.RpcError):
            return
        code, details = error.code().name, error.details()
        if code == "DEADLINE_EXCEEDED":
            raise TimeoutError(details) from error
        # To grpcio a connection that breaks is UNAVAILABLE, as are a server that drains and a socket of none.
        if code == "UNAVAILABLE":
            raise ConnectionResetError(details) from error
        raise CallError(code, details) from error
