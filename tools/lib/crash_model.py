"""What the crash test does to a device, and what the device must look like before and after it."""

import dataclasses
import sqlite3
import uuid

DEVICES = "rollcall.v1.Devices/"
COHORTS = ["default", "beta"]
# A key has one type for its whole project, so each key has one here.
ATTRIBUTE_TYPES = {
    "battery": "int_value", "temperature": "float_value", "note": "string_value", "charging": "bool_value",
    "boots": "int_value",
}


class Finding(Exception):
    """A promise that was not kept."""


class Unknown:
    """A value that only the server can give."""

    def __repr__(self):
        return "(given by the server)"


UNKNOWN = Unknown()


def microseconds(timestamp):
    return timestamp and timestamp.get("seconds", 0) * 1_000_000 + timestamp.get("nanos", 0) // 1_000


def timestamp(value):
    return {"seconds": value // 1_000_000, "nanos": value % 1_000_000 * 1_000}


def device_state(device):
    """A Device message of view FULL as a flat dict that compares by value."""
    release = device.get("last_seen_release")
    return {
        "id": device["id"],
        "created_date": microseconds(device["created_date"]),
        "updated_date": microseconds(device["updated_date"]),
        "owner_ref": device.get("owner_ref", ""),
        "hardware_version": device["hardware_version"],
        "cohort": device["cohort"]["slug"],
        "last_seen": microseconds(device.get("last_seen")),
        "release": release and (release["version"], release.get("revision", "")),
        "etag": device["etag"],
        "attributes": attributes_state(device.get("attributes", [])),
    }


def attributes_state(attributes):
    """Key to value and time."""
    return {
        attribute["custom_metric"]["string_key"]: (
            next(iter(attribute["state"]["value"].values())), microseconds(attribute["state"]["time"])
        )
        for attribute in attributes
    }


def new_device(owner, hardware, cohort):
    return {
        "id": UNKNOWN, "created_date": UNKNOWN, "updated_date": UNKNOWN, "owner_ref": owner,
        "hardware_version": hardware, "cohort": cohort, "last_seen": None, "release": None, "etag": UNKNOWN,
        "attributes": {},
    }


def differences(expected, actual):
    """What differs, as words; empty if nothing does. None is a device that is not there."""
    if expected is None or actual is None:
        return [] if expected is actual else [f"{'absent' if expected is None else 'present'} was expected"]
    return [
        f"{name} is {actual[name]!r} and not {value!r}"
        for name, value in expected.items()
        if value is not UNKNOWN and value != actual[name]
    ]


def random_request_id(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def verify_log(path, least_revision):
    """The store that a kill left is sound, and its change log has every revision from the first to the last."""
    connection = sqlite3.connect(path)
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    count, first, last = connection.execute("SELECT count(*), min(revision), max(revision) FROM change_log").fetchone()
    (head,) = connection.execute("SELECT revision FROM head").fetchone()
    connection.close()
    if found != "ok":
        raise Finding(f"the store is damaged: {found}")
    if count and (first != 1 or last != head or count != last):
        raise Finding(f"the change log has {count} revisions, from {first} to {last}, where the store is at {head}")
    if head < least_revision:
        raise Finding(f"the store is at revision {head}; changes up to {least_revision} were acknowledged")


@dataclasses.dataclass
class Operation:
    """One call, and the device before and after it. A refused one leaves the device as it was."""

    kind: str
    serial: str
    method: str
    request: dict
    before: dict
    after: dict
    refused_with: str = None

    @property
    def request_id(self):
        return self.request.get("request_id")


class Load:
    """Draws operations. Every value is new, so that half of a change could not pass for a whole one."""

    def __init__(self, rng, clock):
        self.rng = rng
        self.clock = clock  # Rising microseconds, shared by all.

    def next_operation(self, serial, state):
        if state is None:
            draw = self.rng.choice([self.create, self.create, self.upsert, self.check_in_missing])
        else:
            kinds = {
                self.check_in: 8, self.update: 5, self.update_attributes: 4, self.delete: 2, self.late_check_in: 1,
                self.create_again: 1, self.update_stale: 1,
            }
            draw = self.rng.choices(list(kinds), list(kinds.values()))[0]
        return draw(serial, state)

    def request_id(self):
        return random_request_id(self.rng)

    def fields(self):
        number = next(self.clock)
        return f"owner {number} ü", f"hw-{number}", self.rng.choice(COHORTS)

    def create(self, serial, _):
        owner, hardware, cohort = self.fields()
        device = {
            "device_serial": serial, "owner_ref": owner, "hardware_version": hardware, "cohort": {"slug": cohort}
        }
        request = {"device": device, "request_id": self.request_id()}
        return Operation(
            "create", serial, DEVICES + "CreateDevice", request, None, new_device(owner, hardware, cohort)
        )

    def create_again(self, serial, state):
        operation = self.create(serial, state)
        operation.before = operation.after = state
        operation.refused_with = "ALREADY_EXISTS"
        return operation

    def upsert(self, serial, state):
        operation = self.create(serial, state)
        operation.kind, operation.method = "upsert", DEVICES + "UpdateDevice"
        operation.request["allow_missing"] = True
        return operation

    def update(self, serial, state):
        owner, hardware, _ = self.fields()
        other_cohort = next(cohort for cohort in COHORTS if cohort != state["cohort"])
        values = {"owner_ref": owner, "hardware_version": hardware, "cohort": other_cohort}
        paths = self.rng.sample(list(values), self.rng.randint(2, 3))
        device = {"device_serial": serial} | {path: values[path] for path in paths}
        if "cohort" in device:
            device["cohort"] = {"slug": other_cohort}
        if self.rng.random() < 0.5:
            device["etag"] = state["etag"]
        request = {"device": device, "request_id": self.request_id()}
        if self.rng.random() < 0.5:
            request["update_mask"] = {"paths": paths}
        after = state | {path: values[path] for path in paths} | {"etag": UNKNOWN, "updated_date": UNKNOWN}
        return Operation("update", serial, DEVICES + "UpdateDevice", request, state, after)

    def update_stale(self, serial, state):
        operation = self.update(serial, state)
        etag = state["etag"]
        operation.request["device"]["etag"] = etag[:-1] + ("0" if etag[-1] != "0" else "1")
        operation.after, operation.refused_with = state, "ABORTED"
        return operation

    def delete(self, serial, state):
        request = {"device_serial": serial, "request_id": self.request_id()}
        return Operation("delete", serial, DEVICES + "DeleteDevice", request, state, None)

    def check_in(self, serial, state):
        time = next(self.clock)
        release = (f"1.{time % 7}.{time % 11}", f"r{time % 13}")
        request = {
            "device_serial": serial, "time": timestamp(time), "release": {"version": release[0], "revision": release[1]}
        }
        after = state | {"last_seen": time, "release": release}
        if self.rng.random() < 0.4:
            updates, values = self.attribute_updates()
            request["attributes"] = updates
            after["attributes"] = state["attributes"] | values
        return Operation("check-in", serial, DEVICES + "CheckIn", request, state, after)

    def check_in_missing(self, serial, _):
        hardware = f"hw-{next(self.clock)}"
        operation = self.check_in(serial, new_device("", hardware, "default"))
        operation.before = None
        operation.request |= {"create_missing": True, "hardware_version": hardware}
        return operation

    def late_check_in(self, serial, state):
        operation = self.check_in(serial, state)
        operation.request.pop("attributes", None)
        if state["last_seen"] is not None:
            operation.request["time"] = timestamp(state["last_seen"] - 1)
            operation.after = state
        else:
            operation.after = operation.after | {"attributes": state["attributes"]}
        return operation

    def attribute_updates(self):
        """Some attributes as the request has them, and as the device has them afterwards."""
        time, updates, values = next(self.clock), [], {}
        for key in self.rng.sample(list(ATTRIBUTE_TYPES), self.rng.randint(1, 4)):
            kind = ATTRIBUTE_TYPES[key]
            value = {
                "int_value": time, "float_value": time / 7, "string_value": f"note {time}", "bool_value": time % 2 == 0
            }[kind]
            updates.append({"string_key": key, "value": {kind: value}, "time": timestamp(time)})
            values[key] = value, time
        return updates, values

    def update_attributes(self, serial, state):
        updates, values = self.attribute_updates()
        request = {"device_serial": serial, "attributes": updates, "request_id": self.request_id()}
        attributes = values
        if self.rng.random() < 0.3:
            request["mode"] = "UPDATE_MODE_REPLACE"
        else:
            unset = [key for key in state["attributes"] if key not in values][:1]
            # A value left out unsets.
            updates += [{"string_key": key, "time": timestamp(next(self.clock))} for key in unset]
            attributes = {key: value for key, value in (state["attributes"] | values).items() if key not in unset}
        after = state | {"attributes": attributes, "etag": UNKNOWN, "updated_date": UNKNOWN}
        return Operation("attributes", serial, DEVICES + "UpdateDeviceAttributes", request, state, after)
