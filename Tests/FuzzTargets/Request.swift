// Requests of every method of the daemon, answered by a registry of their own.

internal import DeviceModel
internal import NIOCore
internal import RPC

extension FuzzTarget {
    /// Whatever a request holds, its answer is a message of the method's type or a status, and not one that means a defect.
    ///
    /// An input is up to 16 calls, one after another: two bytes that choose the method, one that says how many messages follow
    /// where it takes several, and before each message its length in two bytes.
    static let request = FuzzTarget(
        "request", "requests of every method, answered", byteCountMax: 4_096,
        words: [
            "default", "beta", "A1", "A2", "owner", "hw1", "1.2.3", "battery", "zone", "-last_seen", "id", "owner_ref",
            "cohort",
            "release", "attributes.battery", "attributes.battery < 20", "*", "hardware_version", "activity",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        ],
        seeds: { try RequestSeeds.all },
        feed: { bytes in
            let service = try RequestService()
            defer { service.close() }
            try await service.prepare()
            var input = FuzzInput(bytes)
            for _ in 0..<16 where !input.isEmpty {
                let method = service.method(tag: UInt16(input.number()))
                let moreCount = method.takesSeveralMessages ? Int(input.byte() % 4) : 0
                let messages = (0...moreCount).map { _ in Array(input.bytes(input.number())) }
                try await service.call(method, messages)
            }
        })
}

extension Method {
    /// Whether a caller sends as many messages as it likes.
    var takesSeveralMessages: Bool {
        if case .stream(let kind, _) = self.handler { kind != .server } else { false }
    }

    /// Two bytes that choose this method, whichever others there are.
    var tag: UInt16 {
        var hash = FNV1a()
        hash.combine(self.name.description)
        return UInt16(truncatingIfNeeded: hash.value ^ hash.value >> 32)
    }
}

/// Requests in JSON, as `rollcall call` takes them.
private enum RequestSeeds {
    static var all: [FuzzSeed] {
        get throws {
            let service = try RequestService()
            defer { service.close() }
            // Both versions of reflection have the method of one name, and take the same.
            var seeds = try Set(service.methods.map(\.name.method)).sorted().map { name in
                FuzzSeed("example-\(name)", try service.input([(name, [nil])]))
            }
            for (name, calls) in Self.calls { seeds.append(FuzzSeed(name, try service.input(calls))) }
            return seeds
        }
    }

    private static let filter = """
        "release": ["1.2.3"], "owner_ref": ["owner"], "cohort": ["beta", "default"], "activity": "ACTIVITY_ACTIVE", \
        "activity_window": "60s", "filter": "attributes.battery < 30 AND NOT owner_ref = nobody"
        """

    /// Calls by the names of their methods, each with its messages; nil stands for an example of the type.
    private static let calls: [(String, [(String, [String?])])] = [
        (
            "devices",
            [
                (
                    "CreateDevice",
                    [
                        #"{"device": {"device_serial": "B1", "owner_ref": "o", "hardware_version": "h", "cohort": {"slug": "beta"}}}"#
                    ]
                ),
                (
                    "UpdateDevice",
                    [#"{"device": {"device_serial": "B1", "owner_ref": "p"}, "update_mask": "owner_ref"}"#]
                ),
                (
                    "UpdateDevice",
                    [
                        #"{"device": {"device_serial": "B2", "owner_ref": "p", "hardware_version": "h"}, "allow_missing": true}"#
                    ]
                ),
                ("GetDevice", [#"{"device_serial": "B1", "view": "DEVICE_VIEW_FULL"}"#]),
                ("DeleteDevice", [#"{"device_serial": "B1", "request_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}"#]),
                ("DeleteDevice", [#"{"device_serial": "B1", "allow_missing": true, "etag": "x"}"#]),
            ]
        ),
        (
            "lists",
            [
                (
                    "ListDevices",
                    [
                        "{\(Self.filter), \"sort\": \"-last_seen,attributes.battery\", \"include_total\": true, \"explain\": true}"
                    ]
                ),
                (
                    "ListDevices",
                    [
                        #"{"page_size": 1, "page": 2, "view": "DEVICE_VIEW_FULL", "last_seen_since": "2019-01-19T05:01:13Z"}"#
                    ]
                ),
                (
                    "CountDevices",
                    ["{\(Self.filter), \"group_by\": [\"cohort\", \"attributes.battery\"], \"group_limit\": 2}"]
                ),
                ("ExportDevices", ["{\(Self.filter), \"view\": \"DEVICE_VIEW_BASIC\"}"]),
                ("ListReleases", [#"{"page_size": 1, "include_total": true}"#]), ("ListHardwareVersions", ["{}"]),
                ("ListAttributeKeys", [#"{"page": 1}"#]), ("GetServerInfo", ["{}"]),
            ]
        ),
        (
            "attributes",
            [
                (
                    "UpdateDeviceAttributes",
                    [
                        #"{"device_serial": "A1", "attributes": [{"string_key": "Zone", "value": {"string_value": "é"}}, {"string_key": "t", "value": {"float_value": 1.5}, "time": "2019-01-19T05:01:13Z"}], "mode": "UPDATE_MODE_REPLACE"}"#
                    ]
                ), ("GetDeviceAttributes", [#"{"device_serial": "A1", "key_pattern": "*o*e"}"#]),
            ]
        ),
        (
            "check-ins",
            [
                (
                    "CheckIn",
                    [
                        #"{"device_serial": "N1", "create_missing": true, "hardware_version": "h", "release": {"version": "2", "revision": "r"}}"#
                    ]
                ),
                (
                    "CheckInStream",
                    [
                        #"{"device_serial": "A1", "time": "2019-01-19T05:01:13Z"}"#, #"{"device_serial": "nobody"}"#,
                        #"{"device_serial": "A2", "release": {"version": "1"}}"#,
                    ]
                ),
            ]
        ),
        (
            "batches",
            [
                ("BatchGetDevices", [#"{"device_serials": ["A1", "A2"], "view": "DEVICE_VIEW_FULL"}"#]),
                (
                    "BatchCreateDevices",
                    [
                        #"{"requests": [{"device": {"device_serial": "C1", "owner_ref": "o", "hardware_version": "h"}}, {"device": {"device_serial": "C2", "owner_ref": "o", "hardware_version": "h"}}]}"#
                    ]
                ),
                (
                    "BatchUpdateDevices",
                    [
                        #"{"requests": [{"device": {"device_serial": "C1", "owner_ref": "p"}}, {"device": {"device_serial": "nobody"}}]}"#
                    ]
                ),
                (
                    "BatchDeleteDevices",
                    [
                        #"{"requests": [{"device_serial": "C1"}, {"device_serial": "C2", "etag": ""}], "validate_only": true}"#
                    ]
                ),
                ("PurgeDevices", [#"{"filter": "device_serial = C*", "expected_count": {"count": 2}}"#]),
                ("PurgeDevices", [#"{"owner_ref": ["owner"], "validate_only": true}"#]),
            ]
        ),
        (
            "bulk",
            [
                (
                    "ImportDevices",
                    [
                        #"{"mode": "IMPORT_MODE_UPSERT"}"#,
                        #"{"items": [{"device": {"device_serial": "I1", "owner_ref": "o", "hardware_version": "h", "last_seen": "2019-01-19T05:01:13Z", "last_seen_release": {"version": "3"}, "attributes": [{"custom_metric": {"string_key": "battery", "data_type": "DATA_TYPE_INT"}, "state": {"value": {"int_value": 5}}}]}}]}"#,
                        #"{"items": [{"device": {"device_serial": "I2", "cohort": {"slug": "new"}}, "create_cohort": true}, {}]}"#,
                    ]
                ), ("WatchDevices", [#"{"filter": "owner_ref = owner", "view": "DEVICE_VIEW_FULL"}"#]),
                ("WatchDevices", [#"{"store_id": "00000000-0000-0000-0000-000000000000", "from_revision": 1}"#]),
            ]
        ),
        (
            "catalog",
            [
                ("CreateProject", [#"{"project": {"slug": "p", "name": "P"}}"#]),
                ("GetProject", [#"{"project": "p"}"#]),
                ("ListProjects", [#"{"page_size": 1}"#]),
                ("CreateCohort", [#"{"project": "p", "cohort": {"slug": "c", "name": "C"}}"#]),
                ("UpdateCohort", [#"{"project": "p", "cohort": {"slug": "c", "name": "D"}, "update_mask": "name"}"#]),
                ("ListCohorts", [#"{"project": "p", "include_total": true}"#]), ("GetCohort", [#"{"cohort": "beta"}"#]),
                ("DeleteCohort", [#"{"project": "p", "cohort": "c"}"#]), ("DeleteProject", [#"{"project": "p"}"#]),
            ]
        ),
        (
            "reflection",
            [
                (
                    "ServerReflectionInfo",
                    [
                        #"{"list_services": ""}"#, #"{"file_containing_symbol": "rollcall.v1.Devices"}"#,
                        #"{"file_by_filename": "x"}"#,
                    ]
                )
            ]
        ),
    ]
}
