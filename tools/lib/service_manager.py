"""Plays the service manager's part towards a rollcalld: passes sockets, hears notifications, keeps descriptors."""

import fcntl
import os
import select
import socket
import time

from rollcall_daemon import START_SECONDS_MAX, STOP_SECONDS_MAX, Daemon, ToolError

# As exec goes on under the same number, LISTEN_PID can be right. The first argument is the descriptor to pass, if any.
LAUNCHER = 'fd=$1; shift; [ -z "$fd" ] || { export LISTEN_PID=${LISTEN_PID-$$}; exec 3<&"$fd"; }; exec "$@"'
DATAGRAM_BYTE_COUNT_MAX = 4096


class ServiceManager(Daemon):
    """A rollcalld that has this process for its service manager.

    `socket_unit` is a listening socket to pass; without one the daemon makes its own and may store it here.
    """

    def __init__(self, programs, folder, socket_unit=None, abstract=False, variables=None, options=()):
        super().__init__(programs, folder)
        if socket_unit is not None:
            at = self.command.index("--socket")
            del self.command[at : at + 2]
        self.command += options
        self.socket_unit = socket_unit
        self.variables = variables or {}
        self.stored = {}  # name → descriptor
        self.notifications = []  # All that the present process sent, as dictionaries.
        self.receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.address = f"@rollcall-{os.getpid()}-{id(self)}" if abstract else str(folder / "notify")
        self.receiver.bind(self.address.replace("@", "\0") if abstract else self.address)

    def __exit__(self, *_):
        super().__exit__()
        self.receiver.close()
        if not self.address.startswith("@"):
            os.unlink(self.address)
        for descriptor in self.stored.values():
            os.close(descriptor)

    def launch(self):
        self.notifications = []
        passed = [(self.socket_unit.fileno(), "rollcalld.socket")] if self.socket_unit else []
        passed += [(descriptor, name) for name, descriptor in self.stored.items()]
        variables = {"NOTIFY_SOCKET": self.address, **self.variables}
        descriptor = ""
        if passed:
            if len(passed) > 1:
                raise ToolError(f"{len(passed)} sockets are to be passed: {passed}")
            # High enough not to be in the launcher's way.
            descriptor = fcntl.fcntl(passed[0][0], fcntl.F_DUPFD, 10)
            variables = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": passed[0][1], **variables}
        try:
            launcher = ["bash", "-c", LAUNCHER, "bash", str(descriptor)]
            self.spawn(launcher + self.command, variables, [descriptor] if passed else [])
        finally:
            if passed:
                os.close(descriptor)

    def start(self):
        """Starts the process and waits until it says that it is ready."""
        self.launch()
        self.hear("READY", START_SECONDS_MAX)

    def hear(self, name, seconds_max=STOP_SECONDS_MAX):
        """Waits for the next notification that assigns to `name`, and returns it."""
        deadline = time.monotonic() + seconds_max
        while True:
            notification = self.receive(max(0, min(0.1, deadline - time.monotonic())))
            if notification is not None and name in notification:
                return notification
            if notification is None and (self.process.poll() is not None or time.monotonic() > deadline):
                ended_with = self.process.poll()
                raise ToolError(f"rollcalld did not say {name}; it ended with {ended_with}: {self.last_words()}")

    def receive(self, seconds_max=0):
        """Takes one notification, None where none comes in time."""
        if not select.select([self.receiver], [], [], seconds_max)[0]:
            return None
        data, descriptors, _, _ = socket.recv_fds(self.receiver, DATAGRAM_BYTE_COUNT_MAX, 4)
        notification = dict(line.split("=", 1) for line in data.decode().splitlines())
        self.notifications.append(notification)
        name = notification.get("FDNAME")
        if "FDSTORE" in notification:
            (descriptor,) = descriptors
            if name in self.stored:
                os.close(self.stored[name])
            self.stored[name] = descriptor
        elif "FDSTOREREMOVE" in notification and name in self.stored:
            os.close(self.stored.pop(name))
        return notification

    def end(self):
        """Stops the process, and hears what it still has to say."""
        self.stop()
        while self.receive():
            pass

    def crash(self):
        self.kill()
        while self.receive():
            pass


def listen(path, family=socket.AF_UNIX, kind=socket.SOCK_STREAM):
    """What a socket unit makes."""
    made = socket.socket(family, kind | socket.SOCK_CLOEXEC)
    made.bind(str(path) if family == socket.AF_UNIX else path)
    if kind == socket.SOCK_STREAM:
        made.listen(4096)
    return made
