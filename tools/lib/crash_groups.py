"""Changes of many devices at once in the crash test: batches, purges and imports, and what a kill may leave of them."""

import collections
import dataclasses
import random

from crash_model import COHORTS, DEVICES, UNKNOWN, Finding, device_state, differences, new_device, random_request_id
from rollcall_wire import CallError, WireError

DEVICES_PER_GROUP = 30
IMPORT_MESSAGE_ITEM_COUNT = 8


@dataclasses.dataclass
class GroupOperation:
    """One call on several devices: as they are before and after it, by serial."""

    kind: str
    method: str
    request: dict
    before: dict
    after: dict
    # Whether they change all or none; else each of them changes or not.
    is_atomic: bool = True
    # Of an import, how many of them are acknowledged already.
    accepted_through: int = 0

    @property
    def serials(self):
        return list(self.after)


class GroupWorker:
    """One connection and the devices that only it changes, many at once."""

    def __init__(self, number, seed, clock, ids):
        self.rng = random.Random(f"{seed}/group/{number}")
        self.clock, self.ids = clock, ids
        self.devices = {f"G{number}:{index}": None for index in range(DEVICES_PER_GROUP)}
        self.last = None  # The last acknowledged operation with a request id.
        self.in_flight = None
        self.ids_before = 0
        self.kinds = collections.Counter()
        self.changed = 0
        self.finding = None

    def run(self, connect):
        """Calls until the connection breaks; what had no answer then stays in flight."""
        self.changed, self.in_flight = 0, None
        try:
            with connect() as connection:
                while True:
                    self.step(connection)
        except TimeoutError:
            self.finding = f"{self.in_flight.kind} had no answer in time"
        except OSError:
            pass
        except (Finding, CallError, WireError) as error:
            self.finding = f"{self.in_flight.kind} of {', '.join(self.in_flight.serials[:3])}…: {error}"

    def step(self, connection):
        operation = self.next_operation(hasattr(connection, "exchange"))
        self.in_flight, self.ids_before = operation, self.ids.greatest
        try:
            if operation.kind == "import":
                self.send_import(connection, operation)
                learnt = {}
            else:
                learnt = self.send(connection, operation)
        except CallError as error:
            # A draining daemon turns new calls away.
            if error.code == "UNAVAILABLE":
                raise ConnectionAbortedError from error
            raise
        self.acknowledge(operation, learnt)
        self.in_flight = None

    def send(self, connection, operation):
        """Calls, and returns the devices that the reply tells of by serial."""
        reply = connection.call(operation.method, operation.request)
        learnt = {device["device_serial"]: device_state(device) for device in reply.get("devices", [])}
        if operation.kind in ("batch create", "batch update") and list(learnt) != operation.serials:
            raise Finding(f"it answered {list(learnt)} and not {operation.serials}")
        if operation.kind == "purge" and reply.get("count", 0) != len(operation.serials):
            raise Finding(f"it answered {reply.get('count', 0)} and not {len(operation.serials)}")
        return learnt

    def send_import(self, connection, operation):
        items = operation.request["items"]
        messages = [{"mode": "IMPORT_MODE_UPSERT"}] + [
            {"items": items[start : start + IMPORT_MESSAGE_ITEM_COUNT]}
            for start in range(0, len(items), IMPORT_MESSAGE_ITEM_COUNT)
        ]
        reply = {}
        for reply in connection.exchange(operation.method, messages):
            if reply.get("failed", 0):
                raise Finding(f"items failed: {reply.get('failures', [])[:2]}")
            operation.accepted_through = reply.get("accepted_through", 0)
        if not reply.get("done") or operation.accepted_through != len(items):
            raise Finding(f"it ended with {reply} after {len(items)} items")

    def acknowledge(self, operation, learnt):
        for serial, after in operation.after.items():
            state = learnt.get(serial)
            if state and (wrong := differences(after, state)):
                raise Finding(f"{serial} was answered otherwise: {'; '.join(wrong)}")
            if state:
                self.note_id(state["id"], serial, operation.before[serial])
            self.devices[serial] = state or after
        self.kinds[operation.kind] += 1
        self.changed += len(operation.serials)
        if "request_id" in operation.request:
            self.last = operation

    def note_id(self, number, serial, before):
        """Adds the id of a device that is new, or that an import made without telling its id."""
        if before is None or before["id"] is UNKNOWN:
            self.ids.add(number, serial, self.ids_before if before is None else 0)

    # What is sent.

    def next_operation(self, can_import):
        there = [serial for serial, state in self.devices.items() if state is not None]
        absent = [serial for serial in self.devices if self.devices[serial] is None]
        kinds = []
        if absent:
            kinds += [self.create] * 2
        if there:
            kinds += [self.update, self.update, self.delete, self.purge]
        if can_import:
            kinds += [self.upsert] * 2
        return self.rng.choice(kinds)(there, absent)

    def some(self, serials):
        return self.rng.sample(serials, self.rng.randint(1, len(serials)))

    def fields(self):
        number = next(self.clock)
        return f"owner {number}", f"hw-{number}", self.rng.choice(COHORTS)

    def operation(self, kind, method, request, after, **settings):
        if kind != "import":
            request["request_id"] = random_request_id(self.rng)
        before = {serial: self.devices[serial] for serial in after}
        return GroupOperation(kind, DEVICES + method, request, before, after, **settings)

    def create(self, _, absent):
        requests, after = [], {}
        for serial in self.some(absent):
            owner, hardware, cohort = self.fields()
            device = {"owner_ref": owner, "hardware_version": hardware, "cohort": {"slug": cohort}}
            requests.append({"device": {"device_serial": serial} | device})
            after[serial] = new_device(owner, hardware, cohort)
        return self.operation("batch create", "BatchCreateDevices", {"requests": requests}, after)

    def update(self, there, _):
        requests, after = [], {}
        for serial in self.some(there):
            owner, hardware, _ = self.fields()
            device = {"device_serial": serial, "owner_ref": owner, "hardware_version": hardware}
            requests.append({"device": device})
            after[serial] = changed(self.devices[serial], owner, hardware)
        return self.operation("batch update", "BatchUpdateDevices", {"requests": requests}, after)

    def delete(self, there, _):
        serials = self.some(there)
        requests = [{"device_serial": serial} for serial in serials]
        return self.operation("batch delete", "BatchDeleteDevices", {"requests": requests}, dict.fromkeys(serials))

    def purge(self, there, _):
        serials = self.some(there)
        after = dict.fromkeys(serials)
        return self.operation("purge", "PurgeDevices", {"device_serial": serials}, after, is_atomic=False)

    def upsert(self, there, absent):
        items, after = [], {}
        for serial in self.some(there + absent):
            owner, hardware, cohort = self.fields()
            before = self.devices[serial]
            device = {"device_serial": serial, "owner_ref": owner, "hardware_version": hardware}
            if before is None:
                device["cohort"] = {"slug": cohort}
            items.append({"device": device})
            after[serial] = new_device(owner, hardware, cohort) if before is None else changed(before, owner, hardware)
        return self.operation("import", "ImportDevices", {"items": items}, after, is_atomic=False)

    # After a restart.

    def verify(self, read):
        """Compares every device with what was acknowledged; returns how many calls in flight were kept and gone."""
        operation = self.in_flight
        kept = []
        for serial, expected in self.devices.items():
            actual = read(serial)
            if operation and serial in operation.after:
                kept.append(self.was_kept(operation, serial, actual))
            elif wrong := differences(expected, actual):
                raise Finding(f"{serial} lost an acknowledged change of many: {'; '.join(wrong)}")
            if actual is not None:
                self.note_id(actual["id"], serial, expected)
            self.devices[serial] = actual
        if not operation:
            return 0, 0
        if operation.is_atomic and len(set(kept)) > 1:
            raise Finding(f"{operation.kind} of {operation.serials}, in flight at the kill, is there by half: {kept}")
        return (1, 0) if all(kept) else (0, 1)

    def was_kept(self, operation, serial, actual):
        position = operation.serials.index(serial)
        if wrong := differences(operation.after[serial], actual):
            if position < operation.accepted_through:
                raise Finding(f"{serial}, which an import's progress told of, is not there: {'; '.join(wrong)}")
            if as_before := differences(operation.before[serial], actual):
                raise Finding(
                    f"{operation.kind} of {serial}, in flight at the kill, is there by half. As if not done: "
                    f"{'; '.join(as_before)}. As if done: {'; '.join(wrong)}"
                )
            return False
        return True

    def repeat(self, connection, read):
        """Sends the last acknowledged call again, which must change nothing."""
        if self.last is None or self.in_flight:
            return
        try:
            connection.call(self.last.method, self.last.request)
        except CallError as error:
            # What it created may be deleted by now, or be another device of the same serial.
            if self.last.kind not in ("batch create", "batch update") or error.code != "NOT_FOUND":
                raise Finding(f"{self.last.kind} sent again was refused: {error}") from error
        for serial in self.last.serials:
            if wrong := differences(self.devices[serial], read(serial)):
                raise Finding(f"{self.last.kind} sent again took effect again on {serial}: {'; '.join(wrong)}")

    def finish(self, connection, read):
        """Sends what was in flight again, as a caller would that does not know its outcome."""
        operation, ids_before = self.in_flight, self.ids.greatest
        if operation is None:
            return
        try:
            if operation.kind == "import":
                for item in operation.request["items"]:
                    connection.call(DEVICES + "UpdateDevice", item | {"allow_missing": True})
            else:
                connection.call(operation.method, operation.request)
                self.last = operation
        except CallError as error:
            raise Finding(f"{operation.kind} sent again was refused: {error}") from error
        for serial, after in operation.after.items():
            actual = read(serial)
            if wrong := differences(after, actual):
                raise Finding(f"{operation.kind} sent again has another outcome for {serial}: {'; '.join(wrong)}")
            if actual is not None and self.devices[serial] is None:
                self.ids.add(actual["id"], serial, ids_before)
            self.devices[serial] = actual
        self.in_flight = None


def changed(state, owner, hardware):
    unknown = {"etag": UNKNOWN, "updated_date": UNKNOWN}
    return state | {"owner_ref": owner, "hardware_version": hardware} | unknown
