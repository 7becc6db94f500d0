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
    /// What was written and not taken yet, and after it room for what comes.
    private var bytes = [UInt8](repeating: 0, count: Self.byteCountMin)
    private var byteCount = 0
    private let format: DeviceFileFormat
    private let isFull: Bool
    /// Columns of attributes, by the folded key.
    private var attributeColumns: [String: Int] = [:]
    private let attributeKeys: [String]
    private var dates = DateTexts()

    private static let byteCountMin = 64 << 10

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
        defer { self.byteCount = 0 }
        return Array(self.bytes[..<self.byteCount])
    }

    /// Writes every device of a message, and tells how many there were.
    ///
    /// - Throws: `DecodingError` where the bytes are no ExportDevicesResponse.
    package mutating func write(_ message: UnsafeRawBufferPointer) throws -> Int {
        try Arena.current.decode(Messages.exportDevicesResponse, from: message) { message in
            for index in 0..<message.pointee.n_devices {
                guard let device = message.pointee.devices[index] else { continue }
                self.write(UnsafePointer(device))
            }
            return message.pointee.n_devices
        }
    }

    private mutating func write(_ device: UnsafePointer<Rollcall__V1__Device>) {
        let byteCountMax = device.pointee.lineByteCountMax + self.attributeKeys.count
        self.withCursor(byteCountMax: byteCountMax) { cursor, writer in
            switch writer.format {
            case .ndjson: writer.writeObject(device, &cursor)
            case .csv: writer.writeRecord(device, &cursor)
            }
        }
    }

    /// Lets `body` write up to `byteCountMax` bytes.
    private mutating func withCursor(
        byteCountMax: Int, _ body: (inout ByteCursor, inout DeviceLineWriter) -> Void
    ) {
        if self.bytes.count < self.byteCount + byteCountMax {
            self.bytes += repeatElement(0, count: max(self.bytes.count, byteCountMax))
        }
        // The buffer is out of the writer's hands while it is written to.
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        let start = self.byteCount
        self.byteCount = bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return start }
            var cursor = ByteCursor(base + start)
            body(&cursor, &self)
            precondition(cursor.next <= base + buffer.count, "A line is no longer than its bound.")
            return cursor.next - base
        }
        swap(&bytes, &self.bytes)
    }

    // MARK: NDJSON

    private mutating func writeObject(_ pointer: UnsafePointer<Rollcall__V1__Device>, _ cursor: inout ByteCursor) {
        let device = pointer.pointee
        cursor.write(#"{"id": "#)
        cursor.write(device.id)
        cursor.write(#", "created_date": "#)
        self.writeTime(device.created_date, &cursor)
        cursor.write(#", "updated_date": "#)
        self.writeTime(device.updated_date, &cursor)
        cursor.write(#", "device_serial": "#)
        cursor.writeString(device.device_serial)
        cursor.write(#", "owner_ref": "#)
        cursor.writeString(device.owner_ref)
        cursor.write(#", "hardware_version": "#)
        cursor.writeString(device.hardware_version)
        cursor.write(#", "last_seen": "#)
        self.writeTime(device.last_seen, &cursor)
        cursor.write(#", "last_seen_release": "#)
        if let release = device.last_seen_release?.pointee {
            cursor.write(#"{"id": "#)
            cursor.write(release.id)
            cursor.write(#", "version": "#)
            cursor.writeString(release.version)
            cursor.write(#", "revision": "#)
            cursor.writeString(release.revision)
            cursor.write("}")
        } else {
            cursor.write("null")
        }
        if let cohort = device.cohort?.pointee {
            cursor.write(#", "cohort": {"id": "#)
            cursor.write(cohort.id)
            cursor.write(#", "name": "#)
            cursor.writeString(cohort.name)
            cursor.write(#", "slug": "#)
            cursor.writeString(cohort.slug)
            cursor.write("}")
        }
        cursor.write(#", "etag": "#)
        cursor.writeString(device.etag)
        if self.isFull { self.writeAttributes(device, &cursor) }
        cursor.write("}\n")
    }

    private mutating func writeAttributes(_ device: Rollcall__V1__Device, _ cursor: inout ByteCursor) {
        cursor.write(#", "attributes": ["#)
        for index in 0..<device.n_attributes {
            guard let attribute = device.attributes[index]?.pointee, let metric = attribute.custom_metric?.pointee,
                let state = attribute.state?.pointee
            else { continue }
            cursor.write(index == 0 ? #"{"custom_metric": {"id": "# : #", {"custom_metric": {"id": "#)
            cursor.writeString(metric.id)
            cursor.write(#", "string_key": "#)
            cursor.writeString(metric.string_key)
            cursor.write(#", "data_type": ""#)
            cursor.write(Self.name(of: metric.data_type))
            cursor.write(#""}, "state": {"value": "#)
            self.writeValue(state.value, &cursor)
            cursor.write(#", "time": "#)
            self.writeTime(state.time, &cursor)
            cursor.write(#", "created_date": "#)
            self.writeTime(state.created_date, &cursor)
            cursor.write(#", "updated_date": "#)
            self.writeTime(state.updated_date, &cursor)
            cursor.write("}}")
        }
        cursor.write("]")
    }

    private static func name(of type: Rollcall__V1__DataType) -> StaticString {
        switch type {
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_INT: "INT"
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_FLOAT: "FLOAT"
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_BOOL: "BOOL"
        default: "STRING"
        }
    }

    private func writeValue(
        _ value: UnsafeMutablePointer<Rollcall__V1__AttributeValue>?, _ cursor: inout ByteCursor
    ) {
        guard let value = value?.pointee else { return cursor.write("null") }
        switch value.kind_case {
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE: cursor.writeString(value.string_value)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_INT_VALUE: cursor.write(value.int_value)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_FLOAT_VALUE: cursor.write(text: value.float_value.description)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_BOOL_VALUE: cursor.write(value.bool_value != 0 ? "true" : "false")
        default: cursor.write("null")
        }
    }

    private mutating func writeTime(
        _ time: UnsafeMutablePointer<Google__Protobuf__Timestamp>?, _ cursor: inout ByteCursor
    ) {
        guard let time else { return cursor.write("null") }
        cursor.write(0x22 as UInt8)
        self.dates.write(time.pointee, to: &cursor)
        cursor.write(0x22 as UInt8)
    }

    // MARK: CSV

    private mutating func writeHeader() {
        let names = (DeviceColumn.fields + self.attributeKeys.map(DeviceColumn.attribute)).map(\.name)
        // In quotes a name is twice as long at most, and two bytes longer.
        let byteCountMax = names.reduce(2) { $0 + 2 * $1.utf8.count + 3 }
        self.withCursor(byteCountMax: byteCountMax) { cursor, _ in
            for (index, name) in names.enumerated() {
                if index > 0 { cursor.write(UInt8(ascii: ",")) }
                var name = name
                name.withUTF8 { cursor.writeField(UnsafeRawBufferPointer($0)) }
            }
            cursor.write("\r\n")
        }
    }

    private mutating func writeRecord(_ pointer: UnsafePointer<Rollcall__V1__Device>, _ cursor: inout ByteCursor) {
        let device = pointer.pointee
        let release = device.last_seen_release?.pointee
        cursor.write(device.id)
        self.writeTimeField(device.created_date, &cursor)
        self.writeTimeField(device.updated_date, &cursor)
        cursor.writeNextField(device.device_serial.bytes)
        cursor.writeNextField(device.owner_ref.bytes)
        cursor.writeNextField(device.hardware_version.bytes)
        self.writeTimeField(device.last_seen, &cursor)
        cursor.writeNextField(release?.version.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        cursor.writeNextField(release?.revision.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        cursor.writeNextField(device.cohort?.pointee.slug.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        cursor.writeNextField(device.etag.bytes)
        if !self.attributeKeys.isEmpty { self.writeAttributeCells(device, &cursor) }
        cursor.write("\r\n")
    }

    private mutating func writeAttributeCells(_ device: Rollcall__V1__Device, _ cursor: inout ByteCursor) {
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
            cursor.write(UInt8(ascii: ","))
            guard let value = cell?.pointee else { continue }
            if value.kind_case == ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE {
                // A text that looks like nothing or like a value of another type stands in quotes, which say that it is one.
                let text = value.string_value.bytes
                cursor.writeField(
                    text, isQuoted: text.isEmpty || AttributeValue(scalar: value.string_value.string) != nil)
            } else {
                self.writeValue(cell, &cursor)
            }
        }
    }

    private mutating func writeTimeField(
        _ time: UnsafeMutablePointer<Google__Protobuf__Timestamp>?, _ cursor: inout ByteCursor
    ) {
        cursor.write(UInt8(ascii: ","))
        if let time { self.dates.write(time.pointee, to: &cursor) }
    }
}

extension Rollcall__V1__Device {
    /// The longest that the device's line can be: each byte of a text takes six at most, and what stands around the texts is short.
    fileprivate var lineByteCountMax: Int {
        var textByteCount = self.device_serial.len + self.owner_ref.len + self.hardware_version.len + self.etag.len
        if let release = self.last_seen_release {
            textByteCount += release.pointee.version.len + release.pointee.revision.len
        }
        if let cohort = self.cohort { textByteCount += cohort.pointee.name.len + cohort.pointee.slug.len }
        for index in 0..<self.n_attributes {
            guard let attribute = self.attributes[index]?.pointee else { continue }
            if let metric = attribute.custom_metric {
                textByteCount += metric.pointee.id.len + metric.pointee.string_key.len
            }
            if let value = attribute.state?.pointee.value?.pointee,
                value.kind_case == ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE
            {
                textByteCount += value.string_value.len
            }
        }
        return 1_024 + 512 * self.n_attributes + 6 * textByteCount
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

    mutating func write(_ time: Google__Protobuf__Timestamp, to cursor: inout ByteCursor) {
        let (quotient, remainder) = time.seconds.quotientAndRemainder(dividingBy: 86_400)
        let day = remainder < 0 ? quotient - 1 : quotient
        let slot = Int(truncatingIfNeeded: day & Int64(Self.slotCount - 1))
        if self.days[slot] != day { self.fill(slot, day) }
        let second = UInt32(truncatingIfNeeded: time.seconds - day * 86_400)
        let microseconds = UInt32(truncatingIfNeeded: time.nanos) / 1_000
        let start = slot * Self.dayByteCount
        self.texts.withUnsafeBytes {
            cursor.write(UnsafeRawBufferPointer(rebasing: $0[start..<(start + Self.dayByteCount)]))
        }
        cursor.write(UInt8(ascii: "T"))
        cursor.write(twoDigits: second / 3_600)
        cursor.write(UInt8(ascii: ":"))
        cursor.write(twoDigits: second / 60 % 60)
        cursor.write(UInt8(ascii: ":"))
        cursor.write(twoDigits: second % 60)
        cursor.write(UInt8(ascii: "."))
        cursor.write(twoDigits: microseconds / 10_000)
        cursor.write(twoDigits: microseconds / 100 % 100)
        cursor.write(twoDigits: microseconds % 100)
        cursor.write("+00:00")
    }

    private mutating func fill(_ slot: Int, _ day: Int64) {
        let text = Timestamp(seconds: day * 86_400, nanoseconds: 0)?.description ?? ""
        for (index, byte) in text.utf8.prefix(Self.dayByteCount).enumerated() {
            self.texts[slot * Self.dayByteCount + index] = byte
        }
        self.days[slot] = day
    }
}
