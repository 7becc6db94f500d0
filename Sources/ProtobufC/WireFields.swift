/// One field of an encoded message, as it stands on the wire.
package struct WireField: Hashable, Sendable {
    /// What follows a field's tag.
    package enum Value: Hashable, Sendable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// Text, bytes, a message or a packed list.
        case bytes(ArraySlice<UInt8>)
    }

    /// 1 to 2^29 - 1.
    package let number: Int
    package let value: Value
}

/// Reads a message field by field without knowing its type, for whoever goes by descriptors and not by C structs.
package struct WireFields {
    /// What has not been read yet.
    private var rest: ArraySlice<UInt8>

    package init(_ message: ArraySlice<UInt8>) {
        self.rest = message
    }

    /// The next field; nil after the last.
    ///
    /// - Throws: `DecodingError` `malformed` where the bytes are no message.
    package mutating func next() throws(DecodingError) -> WireField? {
        guard !self.rest.isEmpty else { return nil }
        let rest = self.rest
        let read = rest.withUnsafeBufferPointer { bytes -> (field: WireField, byteCount: Int)? in
            guard let start = bytes.baseAddress else { return nil }
            var reader = WireReader(start, count: bytes.count)
            guard let tag = reader.readVarint(byteCountMax: 5),
                case let number = Int(truncatingIfNeeded: tag >> 3), (1..<1 << 29).contains(number),
                let value = reader.readValue(UInt8(truncatingIfNeeded: tag & 7), of: rest, from: start)
            else { return nil }
            return (WireField(number: number, value: value), reader.position - start)
        }
        guard let read else {
            throw DecodingError(.malformed, "The bytes are not a well-formed message.")
        }
        self.rest = rest.dropFirst(read.byteCount)
        return read.field
    }

    /// The values of a packed list of varints.
    ///
    /// - Throws: `DecodingError` `malformed` where the list does not end with a whole value.
    package static func varints(packed list: ArraySlice<UInt8>) throws(DecodingError) -> [UInt64] {
        let values = list.withUnsafeBufferPointer { bytes -> [UInt64]? in
            guard let start = bytes.baseAddress else { return [] }
            var reader = WireReader(start, count: bytes.count)
            var values: [UInt64] = []
            while reader.count > 0 {
                guard let value = reader.readVarint(byteCountMax: 10) else { return nil }
                values.append(value)
            }
            return values
        }
        guard let values else { throw Self.packedListCutShort }
        return values
    }

    /// The values of a packed list of numbers of fixed size, little-endian as all of them are.
    ///
    /// - Throws: `DecodingError` `malformed` where the list does not end with a whole value.
    package static func fixed<Number: FixedWidthInteger>(
        _ type: Number.Type, packed list: ArraySlice<UInt8>
    ) throws(DecodingError) -> [Number] {
        let width = Number.bitWidth / 8
        guard list.count.isMultiple(of: width) else { throw Self.packedListCutShort }
        return stride(from: list.startIndex, to: list.endIndex, by: width).map { index in
            Number(littleEndianBytes: list[index..<index + width])
        }
    }

    private static var packedListCutShort: DecodingError {
        DecodingError(.malformed, "The packed list does not end with a whole value.")
    }
}

extension WireReader {
    /// The value that follows a tag; nil where it does not end in time, or its wire type is unknown.
    fileprivate mutating func readValue(
        _ wireType: UInt8, of bytes: ArraySlice<UInt8>, from start: UnsafePointer<UInt8>
    ) -> WireField.Value? {
        switch wireType {
        case 0: self.readVarint(byteCountMax: 10).map { .varint($0) }
        case 1: self.skip(8).map { .fixed64(UInt64(littleEndianBytes: UnsafeBufferPointer(start: $0, count: 8))) }
        case 2:
            self.readLengthPrefixed().map { value in
                // Of the slice itself, whose memory lives on.
                .bytes(bytes.dropFirst(self.position - start - value.count).prefix(value.count))
            }
        case 5: self.skip(4).map { .fixed32(UInt32(littleEndianBytes: UnsafeBufferPointer(start: $0, count: 4))) }
        default: nil
        }
    }
}

extension FixedWidthInteger {
    fileprivate init(littleEndianBytes bytes: some BidirectionalCollection<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}
