"""The misbehaving side of tools/storm, as a process of its own: opens connections of one kind and keeps at it.

    storm_client.py KIND SOCKET COUNT [FRAMES]

Says `ready COUNT` on a line once the storm is on, goes on until its standard input ends, closes what it holds and says
in JSON what it did. COUNT is how many connections are held at once; FRAMES is a file of ttrpc request frames.
"""

import contextlib
import json
import pathlib
import select
import socket
import sys
import time

# What a gRPC client says first: the preface, its SETTINGS, and the acknowledgement of the server's.
GRPC_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0])
REPLY_BYTES = 64 << 10
RETURN_SECONDS = 1.0
GARBAGE = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"\xff" * 64,
    bytes(range(1, 65)),
    b"PRI * HTTP/1.0\r\n\r\nxx\r\n\r\n" + b"\xee" * 64,
    bytes(10) + b"\xee" * 64,
)


def is_over(seconds=0):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def ready(count):
    print(f"ready {count}", flush=True)


def idle(path, count, frames):
    """Every other one of ttrpc, which has answered a call, and of gRPC, which has shaken hands."""
    connections = []
    for index in range(count):
        connection = connect(path)
        connection.settimeout(60)
        connection.sendall(frames if index % 2 else GRPC_HELLO)
        if not connection.recv(REPLY_BYTES):
            break
        connections.append(connection)
    ready(len(connections))
    is_over(None)
    return {"connections": len(connections)}


def slow(path, count, frames):
    """Each asks for much and reads nothing. What the server ends is opened again, a moment later."""
    open_now, due, opened, ended = {}, [0.0] * count, 0, 0
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    is_ready = False
    while True:
        now = time.monotonic()
        while due and due[0] <= now:
            due.pop(0)
            connection = connect(path)
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                connection.send(frames)
            open_now[connection.fileno()] = connection
            # Nothing but its end is of interest.
            poll.register(connection, 0)
            opened += 1
        if not is_ready:
            is_ready = True
            ready(len(open_now))
        for number, _ in poll.poll(100):
            if number == sys.stdin.fileno():
                return {"opened": opened, "ended by the daemon": ended}
            poll.unregister(number)
            open_now.pop(number).close()
            due.append(now + RETURN_SECONDS)
            ended += 1


def churn(path, count, frames):
    """Connects and closes as fast as it can."""
    return storm(path, lambda connection, opened: None)


def garbage(path, count, frames):
    """Connects, sends what is neither protocol, and closes."""
    return storm(path, lambda connection, opened: connection.sendall(GARBAGE[opened % len(GARBAGE)]))


def storm(path, act):
    opened, refused = 0, 0
    ready(0)
    while not is_over():
        for _ in range(64):
            try:
                with connect(path) as connection:
                    opened += 1
                    act(connection, opened)
            except OSError:
                refused += 1
    return {"opened": opened, "refused": refused}


def silent(path, count, frames):
    """Connects and says nothing at all."""
    connections = [connect(path) for _ in range(count)]
    ready(len(connections))
    is_over(None)
    return {"connections": len(connections)}


KINDS = {kind.__name__: kind for kind in (idle, slow, churn, garbage, silent)}

if __name__ == "__main__":
    kind, path, count, *files = sys.argv[1:]
    frames = pathlib.Path(files[0]).read_bytes() if files else b""
    print(json.dumps(KINDS[kind](path, int(count), frames)), flush=True)
