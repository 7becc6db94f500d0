// Devices out of CSV.

internal import DeviceModel

/// Reads the header, then a device a record.
struct CSVDevices: Sendable {
    private let mode: ImportMode
    private var reader = CSVReader()
    private var record = CSVRecord()
    /// Nil before the header.
    private var columns: [DeviceColumn]?
    private var isFinished = false

    init(mode: ImportMode) {
        self.mode = mode
    }

    mutating func append(_ bytes: some Collection<UInt8>) {
        self.reader.append(bytes)
    }

    mutating func finish() {
        self.isFinished = true
        self.reader.finish()
    }

    mutating func next() throws(DeviceFileError) -> DeviceRow? {
        while true {
            do throws(CSVError) {
                guard try self.reader.next(&self.record) else { break }
            } catch {
                throw DeviceFileError(line: error.line, error.message)
            }
            if self.record.isBlank { continue }
            if let columns = self.columns { return self.row(columns) }
            self.columns = try self.header()
        }
        if self.isFinished, self.columns == nil {
            throw DeviceFileError(line: 1, "There is no header; it names the columns, such as device_serial,owner_ref.")
        }
        return nil
    }

    // MARK: The header

    private func header() throws(DeviceFileError) -> [DeviceColumn] {
        let line = self.record.line
        if let fault = self.record.fault { throw DeviceFileError(line: line, "In the header, \(fault).") }
        var columns: [DeviceColumn] = []
        var known: Set<DeviceColumn> = []
        for index in 0..<self.record.fieldCount {
            guard let name = String(validating: self.record[index], as: UTF8.self) else {
                throw DeviceFileError(line: line, "The header is not valid UTF-8 in column \(index + 1).")
            }
            guard let column = DeviceColumn(name: name) else {
                throw DeviceFileError(line: line, Self.unknown(name, column: index + 1))
            }
            if case .attribute(let key) = column {
                var check = FieldCheck()
                check.attributeKey(key, field: "the key of column \(index + 1)")
                if let violation = check.violations.first {
                    throw DeviceFileError(line: line, "In the header, \(violation.field) \(violation.description).")
                }
            }
            guard known.insert(column.identity).inserted else {
                throw DeviceFileError(line: line, "The header names the column \(quoted(name)) twice.")
            }
            columns.append(column)
        }
        let required: [DeviceColumn] =
            self.mode == .create ? [.deviceSerial, .ownerRef, .hardwareVersion] : [.deviceSerial]
        let missing = required.filter { !known.contains($0) }.map(\.name)
        guard missing.isEmpty else {
            throw DeviceFileError(line: line, "The header lacks the column \(missing.joined(separator: ", ")).")
        }
        return columns
    }

    private static func unknown(_ name: String, column: Int) -> String {
        let names = DeviceColumn.fields.map(\.name)
        let nearest = name.nearest(of: names, effortMax: 100_000)?.name
        let advice =
            nearest.map { "the nearest is \($0)" }
            ?? "the columns are \(names.joined(separator: ", ")) and attributes.<key>"
        return "The header's column \(column), \(quoted(name)), is unknown; \(advice)."
    }

    // MARK: Records

    private func row(_ columns: [DeviceColumn]) -> DeviceRow {
        let serialColumn = columns.firstIndex(of: .deviceSerial) ?? 0
        var row = DeviceRow(line: self.record.line, serial: "", item: .failure(RowFault("")))
        do throws(RowFault) {
            if let fault = self.record.fault { throw RowFault("In this record, \(fault).") }
            guard self.record.fieldCount == columns.count else {
                throw RowFault("The record has \(self.record.fieldCount) fields, and the header \(columns.count).")
            }
            row.serial = try self.text(serialColumn, .deviceSerial)
            row.item = .success(try self.item(columns, serial: row.serial).sendable())
        } catch {
            row.item = .failure(error)
        }
        return row
    }

    private func item(_ columns: [DeviceColumn], serial: String) throws(RowFault) -> ImportItem {
        var item = ImportItem(serial: serial)
        var (version, revision) = ("", "")
        for (index, column) in columns.enumerated() where !self.record[index].isEmpty || self.record.isQuoted(index) {
            switch column {
            case .id, .createdDate, .updatedDate, .etag, .deviceSerial: break
            case .ownerRef: item.ownerRef = try self.text(index, column)
            case .hardwareVersion: item.hardwareVersion = try self.text(index, column)
            case .cohort: item.cohort = try self.text(index, column)
            case .releaseVersion: version = try self.text(index, column)
            case .releaseRevision: revision = try self.text(index, column)
            case .lastSeen:
                let text = try self.text(index, column)
                item.lastSeen = text.isEmpty ? nil : try Timestamp(field: column.name, text)
            case .attribute(let key):
                let value = try self.value(index, column)
                item.attributes.append(AttributeUpdate(key: key, value: value))
            }
        }
        if item.cohort?.isEmpty ?? false { item.cohort = nil }
        if !version.isEmpty || !revision.isEmpty {
            item.release = Release(id: 0, version: version, revision: revision)
        }
        return item
    }

    private func text(_ index: Int, _ column: DeviceColumn) throws(RowFault) -> String {
        guard let text = String(validating: self.record[index], as: UTF8.self) else {
            throw RowFault("\(column.name) is not valid UTF-8.")
        }
        return text
    }

    /// What stands in quotes is a string; what does not is a number or a boolean where it looks like one.
    private func value(_ index: Int, _ column: DeviceColumn) throws(RowFault) -> AttributeValue {
        let text = try self.text(index, column)
        return self.record.isQuoted(index) ? .string(text) : AttributeValue(scalar: text) ?? .string(text)
    }
}

extension Timestamp {
    /// - Throws: ``RowFault`` naming the field where `text` is no RFC 3339 time.
    init(field: String, _ text: String) throws(RowFault) {
        guard let time = Timestamp(rfc3339: text) else {
            throw RowFault(
                "\(field) \(quoted(text)) is not a time; write 2019-01-19T05:01:13Z, or an offset for the Z.")
        }
        self = time
    }
}

extension AttributeValue {
    /// The number or boolean that JSON would read; nil for any other text.
    package init?(scalar text: String) {
        switch text {
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        default:
            guard let form = NumberForm(text.utf8) else { return nil }
            if form == .whole, let number = Int64(text) {
                self = .int(number)
            } else if let number = Double(text), number.isFinite {
                self = .float(number)
            } else {
                return nil
            }
        }
    }
}

/// How a number is written, by the grammar of JSON (RFC 8259, section 6).
private enum NumberForm {
    case whole
    /// With a fraction or an exponent.
    case real

    /// Nil for what is no number.
    init?(_ text: String.UTF8View) {
        var rest = text[...]
        func digitCount() -> Int {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest[digits.endIndex...]
            return digits.count
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let beginsWithZero = rest.first == UInt8(ascii: "0")
        let count = digitCount()
        guard count > 0, count == 1 || !beginsWithZero else { return nil }
        self = .whole
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard digitCount() > 0 else { return nil }
            self = .real
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
            guard digitCount() > 0 else { return nil }
            self = .real
        }
        guard rest.isEmpty else { return nil }
    }
}
