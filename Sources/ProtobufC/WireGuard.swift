internal import CRollcallProto

/// Reads a message before protobuf-c does and refuses what that one would not survive, bound or report well.
///
/// One pass over the bytes: structure, depth, number of values, and every text. protobuf-c merges a sub-message that is
/// sent twice only in part, so that is refused too. Fields that the schema lacks are skipped, whatever is in them.
package struct WireGuard {
    /// Deepest nesting of messages, the outermost counted.
    package static let depthMax = 16
    /// Most values in a message, those of nested messages and packed lists counted. The largest message of 4 MiB that
    /// makes sense, a page of devices with attributes, has about 700,000.
    package static let fieldCountMax = 1 << 20

    /// Numbers above this do not exist in protobuf.
    private static let fieldNumberMax: UInt64 = 1 << 29 - 1

    /// Values seen so far.
    private var fieldCount = 0

    /// Checks `bytes` as a message of the type that `schema` describes.
    ///
    /// - Throws: `DecodingError` naming the first fault.
    /// - Complexity: O(`bytes.count`), without allocation unless it throws.
    static func check(
        _ bytes: UnsafeRawBufferPointer,
        as schema: UnsafePointer<RollcallMessageSchema>
    ) throws(DecodingError) {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        var wireGuard = WireGuard()
        try wireGuard.walk(UnsafeBufferPointer(start: start, count: bytes.count), as: schema, depth: 1)
    }

    private mutating func walk(
        _ message: UnsafeBufferPointer<UInt8>,
        as schema: UnsafePointer<RollcallMessageSchema>,
        depth: Int
    ) throws(DecodingError) {
        guard let start = message.baseAddress else { return }
        var reader = WireReader(start, count: message.count)
        // One bit for each singular sub-message met; the generator keeps numbers below 64.
        var messagesSeen: UInt64 = 0
        while reader.count > 0 {
            let fieldStart = reader.position
            guard let tag = reader.readVarint(byteCountMax: 5), case let number = tag &>> 3, number != 0,
                number <= Self.fieldNumberMax
            else { throw DecodingError(.malformed, "A field does not begin with a valid tag.") }
            let wireType = WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7))
            try self.count(1)
            guard number <= UInt64(schema.pointee.field_number_max),
                case let field = schema.pointee.fields + Int(truncatingIfNeeded: number),
                field.pointee.kind != ROLLCALL_FIELD_NONE
            else {
                guard reader.skipValue(wireType) else {
                    throw DecodingError(.malformed, "Field \(number), unknown here, is not well formed.")
                }
                continue
            }
            do throws(DecodingError) {
                if field.pointee.kind == ROLLCALL_FIELD_MESSAGE && field.pointee.is_repeated == 0 {
                    let bit: UInt64 = 1 &<< number
                    guard messagesSeen & bit == 0 else {
                        throw DecodingError(.malformed, "The field is there twice, but is not a list.")
                    }
                    messagesSeen |= bit
                }
                try self.check(field, wireType, in: &reader, depth: depth)
            } catch {
                throw error.nested(in: Self.component(field, number, at: fieldStart, in: message))
            }
        }
    }

    /// Checks and passes the value of a known field.
    @inline(__always)
    private mutating func check(
        _ field: UnsafePointer<RollcallFieldSchema>,
        _ wireType: WireType?,
        in reader: inout WireReader,
        depth: Int
    ) throws(DecodingError) {
        let kind = field.pointee.kind
        guard wireType == .lengthPrefixed else {
            guard wireType == WireType(unpacked: kind) else {
                throw DecodingError(.malformed, "The value is of another wire type than the field.")
            }
            guard reader.skipValue(wireType) else { throw Self.truncated }
            return
        }
        guard let value = reader.readLengthPrefixed() else { throw Self.truncated }
        switch kind {
        case ROLLCALL_FIELD_TEXT:
            guard TextCheck.isText(value) else {
                throw DecodingError(.invalidText, "The text is not valid UTF-8, or holds a NUL.")
            }
        case ROLLCALL_FIELD_BYTES:
            break
        case ROLLCALL_FIELD_MESSAGE:
            guard let nested = field.pointee.message else {
                preconditionFailure("The schema names the type of every sub-message.")
            }
            guard depth < Self.depthMax else {
                throw DecodingError(.tooDeep, "Messages are nested more than \(Self.depthMax) deep.")
            }
            try self.walk(value, as: nested, depth: depth + 1)
        default:
            guard field.pointee.is_repeated == 1 else {
                throw DecodingError(.malformed, "The value is of another wire type than the field.")
            }
            guard let elementCount = Self.packedCount(value, kind) else {
                throw DecodingError(.malformed, "The packed list does not end with a whole value.")
            }
            try self.count(elementCount)
        }
    }

    @inline(__always)
    private mutating func count(_ fieldCount: Int) throws(DecodingError) {
        self.fieldCount &+= fieldCount
        guard self.fieldCount <= Self.fieldCountMax else {
            throw DecodingError(.tooManyFields, "The message holds more than \(Self.fieldCountMax) values.")
        }
    }

    private static var truncated: DecodingError {
        DecodingError(.malformed, "The value ends early, or its length is not valid.")
    }

    /// How many values a packed list has; nil if the last one is not whole.
    private static func packedCount(_ list: UnsafeBufferPointer<UInt8>, _ kind: RollcallFieldKind) -> Int? {
        guard let start = list.baseAddress else { return 0 }
        if kind != ROLLCALL_FIELD_VARINT {
            let width = kind == ROLLCALL_FIELD_FIXED64 ? 8 : 4
            return list.count.isMultiple(of: width) ? list.count / width : nil
        }
        var reader = WireReader(start, count: list.count)
        var count = 0
        while reader.count > 0 {
            guard reader.skipValue(.varint) else { return nil }
            count += 1
        }
        return count
    }

    /// The field as a part of a path: its name, and for a list the index of the value that begins at `fieldStart`.
    @inline(never)
    private static func component(
        _ field: UnsafePointer<RollcallFieldSchema>,
        _ number: UInt64,
        at fieldStart: UnsafePointer<UInt8>,
        in message: UnsafeBufferPointer<UInt8>
    ) -> String {
        let name = field.pointee.name.map { String(cString: $0) } ?? "\(number)"
        guard field.pointee.is_repeated == 1, let start = message.baseAddress else { return name }
        var index = 0
        var reader = WireReader(start, count: fieldStart - start)
        while let tag = reader.readVarint(byteCountMax: 5),
            reader.skipValue(WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7)))
        {
            if tag &>> 3 == number { index += 1 }
        }
        return "\(name)[\(index)]"
    }
}

/// How a value is laid out; the groups of old are not among them.
private enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthPrefixed = 2
    case fixed32 = 5

    /// The wire type of one value of a kind.
    @inline(__always)
    init(unpacked kind: RollcallFieldKind) {
        switch kind {
        case ROLLCALL_FIELD_VARINT: self = .varint
        case ROLLCALL_FIELD_FIXED64: self = .fixed64
        case ROLLCALL_FIELD_FIXED32: self = .fixed32
        default: self = .lengthPrefixed
        }
    }
}

extension WireReader {
    /// Steps over one value; false if it does not end in time, or its wire type is unknown.
    @inline(__always)
    fileprivate mutating func skipValue(_ wireType: WireType?) -> Bool {
        switch wireType {
        case .varint: self.readVarint(byteCountMax: 10) != nil
        case .fixed64: self.skip(8) != nil
        case .fixed32: self.skip(4) != nil
        case .lengthPrefixed: self.readLengthPrefixed() != nil
        case nil: false
        }
    }
}
