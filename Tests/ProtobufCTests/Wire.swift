/// Writes the protobuf wire format by hand, right or wrong as a test needs it.
struct Wire {
    private(set) var bytes: [UInt8] = []

    /// Bytes as they are.
    mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }

    /// A varint without a tag.
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            self.bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }

    /// Number and wire type of the field that follows.
    mutating func tag(_ number: UInt64, wireType: UInt64) { self.varint(number << 3 | wireType) }

    mutating func field(_ number: UInt64, varint value: UInt64) {
        self.tag(number, wireType: 0)
        self.varint(value)
    }

    mutating func field(_ number: UInt64, bytes: [UInt8]) {
        self.tag(number, wireType: 2)
        self.varint(UInt64(bytes.count))
        self.bytes += bytes
    }

    mutating func field(_ number: UInt64, text: String) { self.field(number, bytes: Array(text.utf8)) }

    mutating func field(_ number: UInt64, message body: (inout Wire) -> Void) {
        self.field(number, bytes: Self.message(body))
    }

    /// The bytes that `body` writes.
    static func message(_ body: (inout Wire) -> Void) -> [UInt8] {
        var wire = Wire()
        body(&wire)
        return wire.bytes
    }
}
