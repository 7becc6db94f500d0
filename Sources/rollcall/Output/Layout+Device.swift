// Devices and their attributes in each format.

internal import DeviceModel
internal import FoundationEssentials
internal import JSONText

extension Layout<Device> {
    /// - Parameter view: Under ``DeviceView/full`` the attributes are shown too.
    static func device(_ view: DeviceView = .basic) -> Layout {
        let showsAttributes = view == .full
        return Layout(
            json: { $0.json(showsAttributes: showsAttributes) },
            columns: Self.tableColumns + (showsAttributes ? [Column("ATTRIBUTES") { $0.attributeSummary }] : []),
            fields: Self.allFields + (showsAttributes ? [Column("attributes") { $0.attributeObject.text(.line) }] : []),
            // Alone, a device has room for a line an attribute; under the basic view there are none.
            details: { device in
                Self.allFields.map { ($0.name, $0.text(device)) }
                    + device.attributes.map { ("attributes.\($0.customMetric.stringKey)", $0.state.value.text) }
            }
        )
    }

    private static let tableColumns: [Column<Device>] = [
        Column("SERIAL") { $0.deviceSerial },
        Column("OWNER") { $0.ownerRef.isEmpty ? "-" : $0.ownerRef },
        Column("HARDWARE") { $0.hardwareVersion },
        Column("COHORT") { $0.cohort.slug },
        Column("RELEASE") { $0.lastSeenRelease?.version ?? "-" },
        Column("LAST SEEN") { $0.lastSeen?.short ?? "never" },
    ]

    private static let allFields: [Column<Device>] = [
        Column("id", isNumber: true) { String($0.id) },
        Column("created_date") { $0.createdDate.description },
        Column("updated_date") { $0.updatedDate.description },
        Column("device_serial") { $0.deviceSerial },
        Column("owner_ref") { $0.ownerRef },
        Column("hardware_version") { $0.hardwareVersion },
        Column("last_seen") { $0.lastSeen?.description ?? "" },
        Column("last_seen_release_version") { $0.lastSeenRelease?.version ?? "" },
        Column("last_seen_release_revision") { $0.lastSeenRelease?.revision ?? "" },
        Column("cohort") { $0.cohort.slug },
        Column("etag") { $0.etag },
    ]
}

extension Layout<Attribute> {
    static let attribute = Layout(
        json: { $0.json },
        columns: [
            Column("KEY") { $0.customMetric.stringKey },
            Column("TYPE") { $0.customMetric.dataType.description },
            Column("VALUE") { $0.state.value.text },
            Column("TIME") { $0.state.time.short },
        ],
        fields: [
            Column("id") { $0.customMetric.id.uuidString.lowercased() },
            Column("string_key") { $0.customMetric.stringKey },
            Column("data_type") { $0.customMetric.dataType.description },
            Column("value") { $0.state.value.text },
            Column("time") { $0.state.time.description },
            Column("created_date") { $0.state.createdDate.description },
            Column("updated_date") { $0.state.updatedDate.description },
        ]
    )
}

extension Device {
    /// The device as the Devices API shows it.
    fileprivate func json(showsAttributes: Bool) -> JSON {
        var members: [(name: String, value: JSON)] = [
            ("id", .int(self.id)),
            ("created_date", .string(self.createdDate.description)),
            ("updated_date", .string(self.updatedDate.description)),
            ("device_serial", .string(self.deviceSerial)),
            ("owner_ref", .string(self.ownerRef)),
            ("hardware_version", .string(self.hardwareVersion)),
            ("last_seen", .text(self.lastSeen?.description)),
            ("last_seen_release", self.lastSeenRelease?.json ?? .null),
            ("cohort", self.cohort.json),
            ("etag", .string(self.etag)),
        ]
        if showsAttributes {
            members.append(("attributes", .array(self.attributes.map(\.json))))
        }
        return .object(members)
    }

    /// Keys and values alone, for a cell of a CSV file.
    fileprivate var attributeObject: JSON {
        .object(self.attributes.map { ($0.customMetric.stringKey, $0.state.value.json) })
    }

    fileprivate var attributeSummary: String {
        self.attributes.isEmpty
            ? "-" : self.attributes.map { "\($0.customMetric.stringKey)=\($0.state.value.text)" }.joined(separator: " ")
    }
}

extension Attribute {
    fileprivate var json: JSON {
        .object([
            ("custom_metric", self.customMetric.json),
            (
                "state",
                .object([
                    ("value", self.state.value.json),
                    ("time", .string(self.state.time.description)),
                    ("created_date", .string(self.state.createdDate.description)),
                    ("updated_date", .string(self.state.updatedDate.description)),
                ])
            ),
        ])
    }
}

extension AttributeValue {
    fileprivate var json: JSON {
        switch self {
        case .int(let value): .int(value)
        case .float(let value): .double(value)
        case .bool(let value): .bool(value)
        case .string(let value): .string(value)
        }
    }

    /// The value in words; a string without quotes.
    fileprivate var text: String {
        switch self {
        case .int(let value): String(value)
        case .float(let value): String(value)
        case .bool(let value): String(value)
        case .string(let value): value
        }
    }
}
