// Devices out of JSON, one a line, as an export has them.

internal import DeviceModel
internal import JSONText

/// Reads a device a line.
struct NDJSONDevices: Sendable {
    private var bytes: [UInt8] = []
    private var index = 0
    /// Up to where the line that begins at ``index`` is known not to end.
    private var searchedIndex = 0
    private var line = 1
    private var isFinished = false

    /// The longest line, in bytes: a device with all attributes that it may have, each escaped.
    private static let lineByteCountMax = 16 << 20

    mutating func append(_ bytes: some Collection<UInt8>) {
        self.bytes.removeFirst(self.index)
        self.searchedIndex -= self.index
        self.index = 0
        self.bytes.append(contentsOf: bytes)
    }

    mutating func finish() {
        self.isFinished = true
    }

    mutating func next() throws(DeviceFileError) -> DeviceRow? {
        while self.index < self.bytes.count {
            let rest = self.bytes[self.index...]
            let end = rest[self.searchedIndex...].firstIndex(of: UInt8(ascii: "\n"))
            guard let end = end ?? (self.isFinished ? rest.endIndex : nil) else {
                self.searchedIndex = rest.endIndex
                guard rest.count <= Self.lineByteCountMax else {
                    throw DeviceFileError(
                        line: self.line, "The line is longer than \(Self.lineByteCountMax) bytes.")
                }
                return nil
            }
            let line = self.line
            self.line += 1
            self.index = min(end + 1, self.bytes.count)
            self.searchedIndex = self.index
            if !rest[..<end].allSatisfy(\.isBlank) { return Self.row(rest[..<end], line: line) }
        }
        return nil
    }

    private static func row(_ text: ArraySlice<UInt8>, line: Int) -> DeviceRow {
        var row = DeviceRow(line: line, serial: "", item: .failure(RowFault("")))
        let node: JSONNode
        do throws(JSONError) {
            node = try JSONReader.read(text)
        } catch {
            row.item = .failure(RowFault("At column \(error.position.column): \(error.message)"))
            return row
        }
        var reader = DeviceNode()
        do throws(RowFault) {
            try reader.read(node)
            row.item = .success(try reader.item.sendable())
        } catch {
            row.item = .failure(error)
        }
        row.serial = reader.item.serial
        return row
    }
}

/// Takes a device out of its JSON.
private struct DeviceNode {
    var item = ImportItem(serial: "")

    mutating func read(_ node: JSONNode) throws(RowFault) {
        for member in try node.members("The line") {
            let value = member.value
            switch member.name {
            case "id", "created_date", "updated_date", "etag": break
            case "device_serial": self.item.serial = try value.string(member.name) ?? ""
            case "owner_ref": self.item.ownerRef = try value.string(member.name) ?? ""
            case "hardware_version": self.item.hardwareVersion = try value.string(member.name) ?? ""
            case "last_seen":
                if let text = try value.string(member.name) {
                    self.item.lastSeen = try Timestamp(field: member.name, text)
                }
            case "last_seen_release": self.item.release = try Self.release(value)
            case "cohort": self.item.cohort = try Self.cohort(value)
            case "attributes": self.item.attributes = try Self.attributes(value)
            default: throw RowFault("\(quoted(member.name)) is not a field of a device.")
            }
        }
        if self.item.serial.isEmpty { throw RowFault("device_serial must be given.") }
    }

    private static func release(_ node: JSONNode) throws(RowFault) -> Release? {
        if case .null = node.value { return nil }
        var release = Release(id: 0, version: "", revision: "")
        for member in try node.members("last_seen_release") {
            switch member.name {
            case "id": break
            case "version": release.version = try member.value.string("last_seen_release.version") ?? ""
            case "revision": release.revision = try member.value.string("last_seen_release.revision") ?? ""
            default: throw RowFault("\(quoted(member.name)) is not a field of last_seen_release.")
            }
        }
        return release
    }

    /// An object with the slug, or the slug alone.
    private static func cohort(_ node: JSONNode) throws(RowFault) -> String? {
        if case .string(let slug) = node.value { return slug }
        if case .null = node.value { return nil }
        var slug: String?
        for member in try node.members("cohort") {
            switch member.name {
            case "id", "name": break
            case "slug": slug = try member.value.string("cohort.slug")
            default: throw RowFault("\(quoted(member.name)) is not a field of cohort.")
            }
        }
        return slug
    }

    private static func attributes(_ node: JSONNode) throws(RowFault) -> [AttributeUpdate] {
        guard case .array(let elements) = node.value else {
            if case .null = node.value { return [] }
            throw RowFault("attributes must be an array, not \(node.kind).")
        }
        var updates: [AttributeUpdate] = []
        for (index, element) in elements.enumerated() {
            updates.append(try Self.attribute(element, "attributes[\(index)]"))
        }
        return updates
    }

    private static func attribute(_ node: JSONNode, _ path: String) throws(RowFault) -> AttributeUpdate {
        var update = AttributeUpdate(key: "", value: nil)
        var (dataType, value): (DataType?, JSONNode?) = (nil, nil)
        for part in try node.members(path) {
            for member in try part.value.members("\(path).\(part.name)") {
                let field = "\(path).\(part.name).\(member.name)"
                switch (part.name, member.name) {
                case ("custom_metric", "id"), ("state", "created_date"), ("state", "updated_date"): break
                case ("custom_metric", "string_key"): update.key = try member.value.string(field) ?? ""
                case ("custom_metric", "data_type"): dataType = try Self.dataType(member.value, field)
                case ("state", "value"): value = member.value
                case ("state", "time"):
                    update.time = try member.value.string(field).map { text throws(RowFault) in
                        try Timestamp(field: field, text)
                    }
                default: throw RowFault("\(field) is not a field of an attribute.")
                }
            }
        }
        guard let value else { throw RowFault("\(path).state.value must be given.") }
        update.value = try Self.value(value, dataType, "\(path).state.value")
        return update
    }

    private static func dataType(_ node: JSONNode, _ field: String) throws(RowFault) -> DataType? {
        guard let name = try node.string(field) else { return nil }
        guard let type = DataType.allCases.first(where: { $0.description == name }) else {
            throw RowFault("\(field) \(quoted(name)) is not a type; it takes INT, FLOAT, BOOL or STRING.")
        }
        return type
    }

    /// A number is of the type that is named beside it, else an INT where it is written without point and exponent.
    private static func value(
        _ node: JSONNode, _ dataType: DataType?, _ field: String
    ) throws(RowFault) -> AttributeValue {
        let value: AttributeValue?
        switch node.value {
        case .bool(let isTrue): value = .bool(isTrue)
        case .string(let text): value = .string(text)
        case .number(let text):
            value =
                dataType == .float
                ? Double(text).map(AttributeValue.float)
                : Int64(text).map(AttributeValue.int) ?? Double(text).map(AttributeValue.float)
        case .null, .array, .object: value = nil
        }
        guard let value, dataType == nil || value.dataType == dataType else {
            throw RowFault("\(field) must be \(dataType.map { "of type \($0)" } ?? "a JSON scalar"), not \(node.kind).")
        }
        return value
    }
}

extension JSONNode {
    fileprivate func members(_ path: String) throws(RowFault) -> [Member] {
        guard case .object(let members) = self.value else {
            throw RowFault("\(path) must be an object, not \(self.kind).")
        }
        return members
    }

    /// Nil for null.
    fileprivate func string(_ path: String) throws(RowFault) -> String? {
        switch self.value {
        case .null: return nil
        case .string(let text): return text
        case .bool, .number, .array, .object: throw RowFault("\(path) must be a string, not \(self.kind).")
        }
    }
}
