// What the devices of a project have in common, in each format.

internal import DeviceModel
internal import FoundationEssentials
internal import JSONText

extension Layout<Cohort> {
    static let cohort = Layout(
        json: { $0.json },
        columns: [
            Column("SLUG") { $0.slug },
            Column("NAME") { $0.name },
            Column("DEVICES", isNumber: true) { String($0.deviceCount ?? 0) },
        ],
        fields: [
            Column("id", isNumber: true) { String($0.id) },
            Column("name") { $0.name },
            Column("slug") { $0.slug },
            Column("count_devices", isNumber: true) { String($0.deviceCount ?? 0) },
        ]
    )
}

extension Layout<Release> {
    static let release = Layout(
        json: { $0.json },
        columns: [
            Column("VERSION") { $0.version },
            Column("REVISION") { $0.revision.isEmpty ? "-" : $0.revision },
            Column("DEVICES", isNumber: true) { String($0.deviceCount ?? 0) },
        ],
        fields: [
            Column("id", isNumber: true) { String($0.id) },
            Column("version") { $0.version },
            Column("revision") { $0.revision },
            Column("count_devices", isNumber: true) { String($0.deviceCount ?? 0) },
        ]
    )
}

extension Layout<HardwareVersion> {
    static let hardwareVersion = Layout(
        json: { version in
            .object([
                ("hardware_version", .string(version.hardwareVersion)), ("count_devices", .int(version.deviceCount)),
            ])
        },
        columns: [
            Column("HARDWARE") { $0.hardwareVersion },
            Column("DEVICES", isNumber: true) { String($0.deviceCount) },
        ],
        fields: [
            Column("hardware_version") { $0.hardwareVersion },
            Column("count_devices", isNumber: true) { String($0.deviceCount) },
        ]
    )
}

extension Layout<AttributeKey> {
    static let attributeKey = Layout(
        json: { key in
            .object([("custom_metric", key.customMetric.json), ("count_devices", .int(key.deviceCount))])
        },
        columns: [
            Column("KEY") { $0.customMetric.stringKey },
            Column("TYPE") { $0.customMetric.dataType.description },
            Column("DEVICES", isNumber: true) { String($0.deviceCount) },
        ],
        fields: [
            Column("id") { $0.customMetric.id.uuidString.lowercased() },
            Column("string_key") { $0.customMetric.stringKey },
            Column("data_type") { $0.customMetric.dataType.description },
            Column("count_devices", isNumber: true) { String($0.deviceCount) },
        ]
    )
}

extension Cohort {
    /// With its count of devices where it has one, which a device's cohort has not.
    var json: JSON {
        .object(
            [("id", .int(self.id)), ("name", .string(self.name)), ("slug", .string(self.slug))]
                + JSON.deviceCount(self.deviceCount))
    }
}

extension Release {
    /// With its count of devices where it has one, which a device's release has not.
    var json: JSON {
        .object(
            [("id", .int(self.id)), ("version", .string(self.version)), ("revision", .string(self.revision))]
                + JSON.deviceCount(self.deviceCount))
    }
}

extension CustomMetric {
    var json: JSON {
        .object([
            ("id", .string(self.id.uuidString.lowercased())),
            ("string_key", .string(self.stringKey)),
            ("data_type", .string(self.dataType.description)),
        ])
    }
}

extension JSON {
    /// The member that holds a count of devices, where there is one.
    fileprivate static func deviceCount(_ count: Int64?) -> [(name: String, value: JSON)] {
        count.map { [("count_devices", .int($0))] } ?? []
    }
}
