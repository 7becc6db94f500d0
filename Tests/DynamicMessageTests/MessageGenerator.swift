// Random messages of any type, encoded as the codec encodes them.

import Descriptors
import ProtobufC
import RollcallTesting

/// Makes messages by descriptor: fields by number, lists packed, defaults left out.
struct MessageGenerator {
    let pool: DescriptorPool
    var random: SeededGenerator

    private static let texts = ["", "a", "rev,2", "é😀", "\u{0}\n\"\\\u{7F}", "null", "12", "NaN"]
    private static let edges: [UInt64] = [
        0, 1, 0x7F, 0x80, 1 << 31 - 1, 1 << 31, 1 << 32 - 1, 1 << 53 + 1, .max >> 1, 1 << 63, .max,
    ]

    mutating func message(_ type: MessageDescriptor, depth: Int = 0) -> [UInt8] {
        switch type.fullName {
        case "google.protobuf.Any": return self.any(depth)
        case "google.protobuf.Duration": return self.duration()
        case "google.protobuf.FieldMask": return self.fieldMask()
        case "google.protobuf.Timestamp": return self.timestamp()
        default: break
        }
        // One alternative of each oneof, or none.
        let chosen = type.oneofs.indices.map { index in
            self.random.oneIn(3) ? nil : self.random.pick(type.fields.filter { $0.oneofIndex == index }).number
        }
        var writer = WireWriter()
        for field in type.fields.sorted(by: { $0.number < $1.number }) {
            if let oneof = field.oneofIndex {
                if chosen[oneof] == field.number {
                    self.append(self.value(field, depth), field.number, to: &writer)
                }
            } else if field.kind == .message, depth > 2 || !self.random.oneIn(2 + 2 * depth) {
                continue
            } else if field.isRepeated {
                self.appendList(field, depth, to: &writer)
            } else {
                let value = self.value(field, depth)
                if field.kind == .message || !Self.isDefault(value) {
                    self.append(value, field.number, to: &writer)
                }
            }
        }
        return writer.bytes
    }

    private mutating func appendList(_ field: FieldDescriptor, _ depth: Int, to writer: inout WireWriter) {
        let count = Int.random(in: 0...3, using: &self.random)
        if field.kind == .message, case let entry = self.pool.message(of: field), entry.isMapEntry {
            var keys: Set<WireField.Value> = []
            for _ in 0..<count {
                let key = self.value(entry.fields[0], depth)
                guard keys.insert(key).inserted else { continue }
                var item = WireWriter()
                self.append(key, 1, to: &item)
                self.append(self.value(entry.fields[1], depth), 2, to: &item)
                writer.append(field.number, bytes: item.bytes)
            }
            return
        }
        var packed = WireWriter()
        for _ in 0..<count {
            switch self.value(field, depth) {
            case .varint(let value): packed.append(varint: value)
            case .fixed64(let value): packed.append(fixed: value)
            case .fixed32(let value): packed.append(fixed: value)
            case .bytes(let value): writer.append(field.number, bytes: value)
            }
        }
        if !packed.bytes.isEmpty {
            writer.append(field.number, bytes: packed.bytes)
        }
    }

    private func append(_ value: WireField.Value, _ number: Int, to writer: inout WireWriter) {
        switch value {
        case .varint(let value): writer.append(number, varint: value)
        case .fixed64(let value): writer.append(number, fixed64: value)
        case .fixed32(let value): writer.append(number, fixed32: value)
        case .bytes(let value): writer.append(number, bytes: value)
        }
    }

    private static func isDefault(_ value: WireField.Value) -> Bool {
        [.varint(0), .fixed64(0), .fixed32(0), .bytes([])].contains(value)
    }

    private mutating func value(_ field: FieldDescriptor, _ depth: Int) -> WireField.Value {
        let bits = self.random.oneIn(2) ? self.random.pick(Self.edges) : self.random.next()
        let int32 = Int32(truncatingIfNeeded: bits)
        return switch field.kind {
        case .double:
            .fixed64(
                self.random.pick([bits.floating, Double(int32) / 7, .infinity, -.infinity, .nan, -0.0, 1e300])
                    .bitPattern)
        case .float:
            .fixed32(
                self.random.pick([Float(int32) / 7, Float(0.1), .infinity, -.infinity, .nan, .leastNonzeroMagnitude])
                    .bitPattern)
        case .int64, .uint64, .sint64: .varint(bits)
        case .int32, .enumeration: .varint(UInt64(bitPattern: Int64(int32)))
        case .fixed64, .sfixed64: .fixed64(bits)
        case .fixed32, .sfixed32: .fixed32(UInt32(truncatingIfNeeded: bits))
        case .uint32, .sint32: .varint(UInt64(UInt32(truncatingIfNeeded: bits)))
        case .bool: .varint(bits & 1)
        case .string: .bytes(Array(self.random.pick(Self.texts).utf8)[...])
        case .bytes:
            .bytes((0..<Int.random(in: 0...5, using: &self.random)).map { UInt8(truncatingIfNeeded: bits >> $0) }[...])
        case .message: .bytes(self.message(self.pool.message(of: field), depth: depth + 1)[...])
        }
    }

    // MARK: Well-known types

    private mutating func any(_ depth: Int) -> [UInt8] {
        var writer = WireWriter()
        guard !self.random.oneIn(5) else { return [] }
        let known = ["google.rpc.ErrorInfo", "google.protobuf.Duration", "rollcall.v1.Device", "google.protobuf.Any"]
        let name = self.random.pick(known + ["no.such.Type"])
        writer.append(1, bytes: "type.googleapis.com/\(name)".utf8)
        let value =
            self.pool.message(named: name).map { depth > 3 ? [] : self.message($0, depth: depth + 1) } ?? [1, 2]
        if !value.isEmpty {
            writer.append(2, bytes: value)
        }
        return writer.bytes
    }

    private mutating func nanos() -> Int64 {
        self.random.pick([
            0, 1, 1_000, 500_000_000, 999_999_999, Int64.random(in: 0..<1_000_000_000, using: &self.random),
        ])
    }

    private func parts(_ seconds: Int64, _ nanos: Int64) -> [UInt8] {
        var writer = WireWriter()
        for (number, value) in [(1, seconds), (2, nanos)] where value != 0 {
            writer.append(number, varint: UInt64(bitPattern: value))
        }
        return writer.bytes
    }

    private mutating func duration() -> [UInt8] {
        let sign: Int64 = self.random.oneIn(2) ? 1 : -1
        let seconds = self.random.pick([0, 1, Int64.random(in: 0...315_576_000_000, using: &self.random)])
        return self.parts(seconds * sign, self.nanos() * sign)
    }

    private mutating func timestamp() -> [UInt8] {
        let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
        let seconds = self.random.pick([0, range.lowerBound, range.upperBound, .random(in: range, using: &self.random)])
        return self.parts(seconds, self.nanos())
    }

    private mutating func fieldMask() -> [UInt8] {
        var writer = WireWriter()
        for path in self.random.some(["*", "owner_ref", "device.cohort", "a.b_c_d"], upTo: 3) {
            writer.append(1, bytes: path.utf8)
        }
        return writer.bytes
    }
}

extension UInt64 {
    /// The double of these bits; zero where that is a NaN with a message of its own.
    fileprivate var floating: Double {
        let value = Double(bitPattern: self)
        return value.isNaN ? 0 : value
    }
}
