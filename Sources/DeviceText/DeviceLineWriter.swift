// Devices as lines of a file, straight from the messages of an export.

internal import CRollcallProto
package import DeviceModel
internal import JSONText
internal import ProtobufC

/// Turns the devices of exported messages into bytes of NDJSON or CSV, without a value or a String in between for what is plain.
///
/// NDJSON holds what `rollcall get --view full` shows of a device, a line each. CSV holds a record each: what cannot be told
/// from nothing or from another type is put in quotes, so that a reader who minds the quotes gets back what was there, but for
/// the times of attributes.
///
/// - Complexity: O(bytes), about a nanosecond each.
package struct DeviceLineWriter: Sendable {
    /// What was written and not taken yet.
    package private(set) var bytes: [UInt8] = []
    private let format: DeviceFileFormat
    private let isFull: Bool
    /// Columns of attributes, by the folded key.
    private var attributeColumns: [String: Int] = [:]
    private let attributeKeys: [String]
    private var dates = DateTexts()

    /// - Parameters:
    ///   - view: whether attributes are written.
    ///   - attributeKeys: the columns that CSV has for attributes.
    package init(_ format: DeviceFileFormat, view: DeviceView, attributeKeys: [String] = []) {
        self.format = format
        self.isFull = view == .full
        self.attributeKeys = attributeKeys
        for (index, key) in attributeKeys.enumerated() { self.attributeColumns[CustomMetric.folded(key)] = index }
        if format == .csv { self.writeHeader() }
    }

    /// Gives up what was written.
    package mutating func take() -> [UInt8] {
        defer { self.bytes.removeAll(keepingCapacity: true) }
        return self.bytes
    }

    /// Writes every device of a message, and tells how many there were.
    ///
    /// - Throws: `DecodingError` where the bytes are no ExportDevicesResponse.
    package mutating func write(_ message: UnsafeRawBufferPointer) throws -> Int {
        try Arena.current.decode(Messages.exportDevicesResponse, from: message) { message in
            for index in 0..<message.pointee.n_devices {
                guard let device = message.pointee.devices[index] else { continue }
                switch self.format {
                case .ndjson: self.writeObject(device)
                case .csv: self.writeRecord(device)
                }
            }
            return message.pointee.n_devices
        }
    }

    // MARK: NDJSON

    private mutating func writeObject(_ pointer: UnsafePointer<Rollcall__V1__Device>) {
        let device = pointer.pointee
        self.write(#"{"id": "#)
        self.write(device.id)
        self.write(#", "created_date": "#)
        self.writeTime(device.created_date)
        self.write(#", "updated_date": "#)
        self.writeTime(device.updated_date)
        self.write(#", "device_serial": "#)
        self.writeString(device.device_serial)
        self.write(#", "owner_ref": "#)
        self.writeString(device.owner_ref)
        self.write(#", "hardware_version": "#)
        self.writeString(device.hardware_version)
        self.write(#", "last_seen": "#)
        self.writeTime(device.last_seen)
        self.write(#", "last_seen_release": "#)
        if let release = device.last_seen_release?.pointee {
            self.write(#"{"id": "#)
            self.write(release.id)
            self.write(#", "version": "#)
            self.writeString(release.version)
            self.write(#", "revision": "#)
            self.writeString(release.revision)
            self.write("}")
        } else {
            self.write("null")
        }
        if let cohort = device.cohort?.pointee {
            self.write(#", "cohort": {"id": "#)
            self.write(cohort.id)
            self.write(#", "name": "#)
            self.writeString(cohort.name)
            self.write(#", "slug": "#)
            self.writeString(cohort.slug)
            self.write("}")
        }
        self.write(#", "etag": "#)
        self.writeString(device.etag)
        if self.isFull { self.writeAttributes(device) }
        self.write("}\n")
    }

    private mutating func writeAttributes(_ device: Rollcall__V1__Device) {
        self.write(#", "attributes": ["#)
        for index in 0..<device.n_attributes {
            guard let attribute = device.attributes[index]?.pointee, let metric = attribute.custom_metric?.pointee,
                let state = attribute.state?.pointee
            else { continue }
            self.write(index == 0 ? #"{"custom_metric": {"id": "# : #", {"custom_metric": {"id": "#)
            self.writeString(metric.id)
            self.write(#", "string_key": "#)
            self.writeString(metric.string_key)
            self.write(#", "data_type": ""#)
            self.write(Self.name(of: metric.data_type))
            self.write(#""}, "state": {"value": "#)
            self.writeValue(state.value)
            self.write(#", "time": "#)
            self.writeTime(state.time)
            self.write(#", "created_date": "#)
            self.writeTime(state.created_date)
            self.write(#", "updated_date": "#)
            self.writeTime(state.updated_date)
            self.write("}}")
        }
        self.write("]")
    }

    private static func name(of type: Rollcall__V1__DataType) -> StaticString {
        switch type {
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_INT: "INT"
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_FLOAT: "FLOAT"
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_BOOL: "BOOL"
        default: "STRING"
        }
    }

    private mutating func writeValue(_ value: UnsafeMutablePointer<Rollcall__V1__AttributeValue>?) {
        guard let value = value?.pointee else { return self.write("null") }
        switch value.kind_case {
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE: self.writeString(value.string_value)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_INT_VALUE: self.write(value.int_value)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_FLOAT_VALUE: self.bytes += value.float_value.description.utf8
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_BOOL_VALUE: self.write(value.bool_value != 0 ? "true" : "false")
        default: self.write("null")
        }
    }

    /// A string in quotes; what has to be escaped is left to whoever knows how.
    private mutating func writeString(_ text: ProtobufCBinaryData) {
        guard text.bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
            self.bytes += JSON.string(text.string).text(.line).utf8
            return
        }
        self.bytes.append(0x22)
        self.bytes.append(contentsOf: text.bytes)
        self.bytes.append(0x22)
    }

    private mutating func writeTime(_ time: UnsafeMutablePointer<Google__Protobuf__Timestamp>?) {
        guard let time else { return self.write("null") }
        self.bytes.append(0x22)
        self.dates.write(time.pointee, to: &self.bytes)
        self.bytes.append(0x22)
    }

    // MARK: CSV

    private mutating func writeHeader() {
        let columns = DeviceColumn.fields + self.attributeKeys.map(DeviceColumn.attribute)
        for (index, column) in columns.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
            self.writeField(Array(column.name.utf8)[...])
        }
        self.write("\r\n")
    }

    private mutating func writeRecord(_ pointer: UnsafePointer<Rollcall__V1__Device>) {
        let device = pointer.pointee
        let release = device.last_seen_release?.pointee
        self.write(device.id)
        self.writeTimeField(device.created_date)
        self.writeTimeField(device.updated_date)
        self.writeNextField(device.device_serial.bytes)
        self.writeNextField(device.owner_ref.bytes)
        self.writeNextField(device.hardware_version.bytes)
        self.writeTimeField(device.last_seen)
        self.writeNextField(release?.version.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        self.writeNextField(release?.revision.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        self.writeNextField(device.cohort?.pointee.slug.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        self.writeNextField(device.etag.bytes)
        if !self.attributeKeys.isEmpty { self.writeAttributeCells(device) }
        self.write("\r\n")
    }

    private mutating func writeAttributeCells(_ device: Rollcall__V1__Device) {
        var cells: [UnsafeMutablePointer<Rollcall__V1__AttributeValue>?] = Array(
            repeating: nil, count: self.attributeKeys.count)
        for index in 0..<device.n_attributes {
            guard let attribute = device.attributes[index]?.pointee,
                let key = attribute.custom_metric?.pointee.string_key,
                let column = self.attributeColumns[CustomMetric.folded(key.string)]
            else { continue }
            cells[column] = attribute.state?.pointee.value
        }
        for cell in cells {
            self.bytes.append(UInt8(ascii: ","))
            guard let value = cell?.pointee else { continue }
            if value.kind_case == ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE {
                // A text that looks like nothing or like a value of another type stands in quotes, which say that it is one.
                let text = value.string_value.bytes
                self.writeField(
                    text, isQuoted: text.isEmpty || AttributeValue(scalar: value.string_value.string) != nil)
            } else {
                self.writeValue(cell)
            }
        }
    }

    private mutating func writeTimeField(_ time: UnsafeMutablePointer<Google__Protobuf__Timestamp>?) {
        self.bytes.append(UInt8(ascii: ","))
        if let time { self.dates.write(time.pointee, to: &self.bytes) }
    }

    private mutating func writeNextField(_ text: UnsafeRawBufferPointer) {
        self.bytes.append(UInt8(ascii: ","))
        self.writeField(text)
    }

    /// A field, in quotes where it holds a comma, a quote, a line end, or blanks that a reader might trim.
    private mutating func writeField(_ text: some BidirectionalCollection<UInt8>, isQuoted: Bool = false) {
        let needsQuotes = text.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0D || $0 == 0x0A }
        guard isQuoted || needsQuotes || text.first == 0x20 || text.last == 0x20 else {
            self.bytes.append(contentsOf: text)
            return
        }
        self.bytes.append(0x22)
        for byte in text {
            if byte == 0x22 { self.bytes.append(0x22) }
            self.bytes.append(byte)
        }
        self.bytes.append(0x22)
    }

    // MARK: Bytes

    private mutating func write(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func write(_ number: Int64) {
        self.bytes.append(decimal: number)
    }
}

/// Times as ``Timestamp/description`` has them; days are worked out once for the times that share theirs.
private struct DateTexts: Sendable {
    /// The day that each slot has, in days since 1970.
    private var days = [Int64](repeating: .min, count: Self.slotCount)
    /// Ten bytes a slot.
    private var texts = [UInt8](repeating: 0, count: Self.slotCount * Self.dayByteCount)

    /// More days than most fleets were seen on lately.
    private static let slotCount = 256
    private static let dayByteCount = 10
    private static let byteCount = 32

    mutating func write(_ time: Google__Protobuf__Timestamp, to bytes: inout [UInt8]) {
        let (quotient, remainder) = time.seconds.quotientAndRemainder(dividingBy: 86_400)
        let day = remainder < 0 ? quotient - 1 : quotient
        let slot = Int(truncatingIfNeeded: day & Int64(Self.slotCount - 1))
        if self.days[slot] != day { self.fill(slot, day) }
        let second = UInt32(truncatingIfNeeded: time.seconds - day * 86_400)
        let microseconds = UInt32(truncatingIfNeeded: time.nanos) / 1_000
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCount) { text in
            let start = slot * Self.dayByteCount
            _ = text.update(fromContentsOf: self.texts[start..<(start + Self.dayByteCount)])
            text[10] = UInt8(ascii: "T")
            text.write(twoDigits: second / 3_600, at: 11)
            text[13] = UInt8(ascii: ":")
            text.write(twoDigits: second / 60 % 60, at: 14)
            text[16] = UInt8(ascii: ":")
            text.write(twoDigits: second % 60, at: 17)
            text[19] = UInt8(ascii: ".")
            text.write(twoDigits: microseconds / 10_000, at: 20)
            text.write(twoDigits: microseconds / 100 % 100, at: 22)
            text.write(twoDigits: microseconds % 100, at: 24)
            text[26] = UInt8(ascii: "+")
            text.write(twoDigits: 0, at: 27)
            text[29] = UInt8(ascii: ":")
            text.write(twoDigits: 0, at: 30)
            bytes.append(contentsOf: text)
        }
    }

    private mutating func fill(_ slot: Int, _ day: Int64) {
        let text = Timestamp(seconds: day * 86_400, nanoseconds: 0)?.description ?? ""
        for (index, byte) in text.utf8.prefix(Self.dayByteCount).enumerated() {
            self.texts[slot * Self.dayByteCount + index] = byte
        }
        self.days[slot] = day
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    fileprivate func write(twoDigits value: UInt32, at index: Int) {
        self[index] = UInt8(truncatingIfNeeded: 0x30 + value / 10)
        self[index + 1] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
    }
}

extension [UInt8] {
    fileprivate mutating func append(decimal value: Int64) {
        if value < 0 { self.append(UInt8(ascii: "-")) }
        let start = self.count
        var rest = value.magnitude
        repeat {
            self.append(UInt8(truncatingIfNeeded: 0x30 + rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }
}
