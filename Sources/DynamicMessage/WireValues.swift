// Values on the wire, as fields have them.

internal import ProtobufC

extension WireField.Value {
    /// Whether a field that holds it might as well not be there.
    var isDefault: Bool {
        switch self {
        case .varint(let value), .fixed64(let value): value == 0
        case .fixed32(let value): value == 0
        case .bytes(let value): value.isEmpty
        }
    }
}

extension UInt64 {
    /// A signed number as `sint` fields have it, small ones short.
    init(zigZag value: Int64) {
        self = UInt64(bitPattern: value << 1 ^ value >> 63)
    }

    /// The signed number that a `sint` field means by this one.
    var zigZag: Int64 {
        Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1)
    }
}

extension WireWriter {
    mutating func append(_ number: Int, _ value: WireField.Value) {
        switch value {
        case .varint(let value): self.append(number, varint: value)
        case .fixed64(let value): self.append(number, fixed64: value)
        case .fixed32(let value): self.append(number, fixed32: value)
        case .bytes(let value): self.append(number, bytes: value)
        }
    }

    mutating func appendUnlessDefault(_ number: Int, _ value: WireField.Value) {
        if !value.isDefault {
            self.append(number, value)
        }
    }

    /// A repeated field, packed where its values are numbers, as proto3 has it.
    mutating func append(_ number: Int, list: [WireField.Value]) {
        var packed = WireWriter()
        for value in list {
            switch value {
            case .varint(let value): packed.append(varint: value)
            case .fixed64(let value): packed.append(fixed: value)
            case .fixed32(let value): packed.append(fixed: value)
            case .bytes(let value): self.append(number, bytes: value)
            }
        }
        if !packed.bytes.isEmpty {
            self.append(number, bytes: packed.bytes)
        }
    }

    /// The two fields that Timestamp and Duration have.
    mutating func append(seconds: Int64, nanos: Int32) {
        self.appendUnlessDefault(1, .varint(UInt64(bitPattern: seconds)))
        self.appendUnlessDefault(2, .varint(UInt64(bitPattern: Int64(nanos))))
    }
}

/// The fields of one message by number, their values in the order in which they came.
struct FieldValues {
    private var values: [Int: [WireField.Value]] = [:]

    /// - Parameter oneofs: Which numbers are alternatives, by the index of their oneof; the last one that came counts.
    init(_ bytes: ArraySlice<UInt8>, oneofs: [Int: Int] = [:]) throws(MessageError) {
        var reader = WireFields(bytes)
        do throws(DecodingError) {
            while let field = try reader.next() {
                if let oneof = oneofs[field.number] {
                    for (number, other) in oneofs where other == oneof && number != field.number {
                        self.values[number] = nil
                    }
                }
                self.values[field.number, default: []].append(field.value)
            }
        } catch {
            throw MessageError(error)
        }
    }

    subscript(_ number: Int) -> [WireField.Value] {
        self.values[number] ?? []
    }

    /// A number of a field of varints; 0 where it is not set.
    func number(_ number: Int) -> Int64 {
        if case .varint(let value)? = self[number].last { Int64(bitPattern: value) } else { 0 }
    }

    /// Every value of a field of texts, bytes or messages.
    func bytes(_ number: Int) -> [ArraySlice<UInt8>] {
        self[number].compactMap { value in
            if case .bytes(let bytes) = value { bytes } else { nil }
        }
    }
}
