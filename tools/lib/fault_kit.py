"""What the fault test knows of a daemon: the devices that it acknowledged, and the bytes of its store."""

import sqlite3

from rollcall_wire import CallError

DEVICES = "rollcall.v1.Devices/"
WRITES_MAX = 5_000


class Finding(Exception):
    """A promise that was not kept."""


def require(is_kept, sentence):
    if not is_kept:
        raise Finding(sentence)


class Fleet:
    """Devices by serial, as acknowledged, and those of which the daemon said that nobody knows."""

    def __init__(self, daemon, rng):
        self.daemon, self.rng = daemon, rng
        self.acknowledged = {}  # serial → owner
        self.unknown = {}
        self.number = 0

    def write(self, count):
        """Creates and updates devices, each of which must be acknowledged."""
        with self.daemon.connect() as connection:
            for _ in range(count):
                try:
                    self.write_one(connection)
                except CallError as error:
                    raise Finding(f"a write was refused where all is well: {error}") from error

    def write_until_refused(self):
        """Writes until a write is refused, which must be with UNAVAILABLE; returns the sentence."""
        with self.daemon.connect() as connection:
            for _ in range(WRITES_MAX):
                try:
                    self.write_one(connection)
                except CallError as error:
                    require(error.code == "UNAVAILABLE", f"a write was refused with {error}")
                    return error.message
        raise Finding(f"{WRITES_MAX} writes were taken where the disk should have failed")

    def write_one(self, connection):
        self.number += 1
        is_new = not self.acknowledged or self.rng.random() < 0.7
        serial = f"F:{self.number}" if is_new else self.rng.choice(list(self.acknowledged))
        owner = f"owner {self.number} " + "x" * self.rng.randrange(200)
        device = {"device_serial": serial, "owner_ref": owner, "hardware_version": "hw"}
        try:
            connection.call(DEVICES + "UpdateDevice", {"device": device, "allow_missing": True})
        except CallError as error:
            if "unknown" in error.message:
                self.unknown[serial] = owner
            raise
        self.acknowledged[serial] = owner
        self.unknown.pop(serial, None)

    def verify(self):
        """Everything acknowledged is there as it was last acknowledged, and nothing that was refused."""
        found = self.read_all()
        for serial in self.acknowledged.keys() | found.keys():
            owner = found.get(serial)
            if owner == self.acknowledged.get(serial):
                continue
            require(
                owner is not None and owner == self.unknown.get(serial),
                f"{serial} is of {owner!r}, where {self.acknowledged.get(serial)!r} was acknowledged last",
            )
        # By now it is known which of them took place.
        self.acknowledged = found

    def read_all(self):
        with self.daemon.connect() as connection:
            return {device["device_serial"]: device.get("owner_ref", "") for device in devices(connection)}

    def probe(self):
        """Reads everything, whatever it says, and writes once; true if that was taken."""
        with self.daemon.connect() as connection:
            for _ in devices(connection, view="DEVICE_VIEW_FULL"):
                pass
            device = {"device_serial": "probe", "owner_ref": "probe", "hardware_version": "hw"}
            try:
                connection.call(DEVICES + "CreateDevice", {"device": device})
            except CallError as error:
                require(error.code == "UNAVAILABLE", f"a write was refused with {error}")
                return False
        return True

    def store_state(self):
        with self.daemon.connect() as connection:
            return connection.call("rollcall.v1.Server/GetServerInfo", {})["store"]["state"]


def devices(connection, **fields):
    """Every device, page by page."""
    token = ""
    while True:
        request = {"page_size": 1_000, "page_token": token, **fields}
        page = connection.call(DEVICES + "ListDevices", request)
        yield from page.get("devices", [])
        token = page.get("next_page_token", "")
        if not token:
            return


def database_bytes(folder):
    """The database and its log by name; not the log's index, which is made anew from them."""
    paths = [folder / "rollcall.sqlite", folder / "rollcall.sqlite-wal"]
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def flip(path, offset, rng):
    """Turns one bit of a byte over."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << rng.randrange(8)]))


def mark_unclean(path):
    """Makes a closed store one that was not, so that it is looked through at the next start."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE head SET is_clean = 0")
    connection.close()


def root_page(path, table):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table]).fetchone()
    connection.close()
    return page
