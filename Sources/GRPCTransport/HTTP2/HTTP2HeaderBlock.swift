// Header blocks: gathered from HEADERS and CONTINUATION, and written without a table.

internal import NIOCore
internal import RPC

/// A header block as it comes in, in one frame or several.
struct HTTP2HeaderBlock {
    /// What the fragments of one block may take, compressed; what they unpack to is bounded by the decoder.
    static let byteCountMax = 16 << 10

    let streamID: StreamID
    let endsStream: Bool
    private(set) var bytes: ByteBuffer

    /// Takes the payload of a HEADERS frame, without its padding and priority.
    init(_ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer) throws(HTTP2ConnectionError) {
        var fragment = try payload.withoutPadding(header.flags)
        if header.flags.contains(.priority) {
            guard fragment.count >= 5 else {
                throw HTTP2ConnectionError(.frameSizeError, "A HEADERS frame has no room for its priority.")
            }
            fragment = UnsafeRawBufferPointer(rebasing: fragment[5...])
        }
        self.streamID = header.streamID
        self.endsStream = header.flags.contains(.endStream)
        self.bytes = ByteBuffer(bytes: fragment)
    }

    /// Adds the payload of a CONTINUATION frame.
    mutating func append(_ fragment: UnsafeRawBufferPointer) throws(HTTP2ConnectionError) {
        guard !fragment.isEmpty, self.bytes.readableBytes + fragment.count <= Self.byteCountMax else {
            throw HTTP2ConnectionError(.enhanceYourCalm, "The headers of a call go on without end.")
        }
        self.bytes.writeBytes(fragment)
    }
}

extension UnsafeRawBufferPointer {
    /// The payload of a DATA or HEADERS frame between the length of its padding and the padding itself.
    func withoutPadding(_ flags: HTTP2FrameHeader.Flags) throws(HTTP2ConnectionError) -> UnsafeRawBufferPointer {
        guard flags.contains(.padded) else { return self }
        guard let paddingByteCount = self.first, Int(paddingByteCount) < self.count else {
            throw HTTP2ConnectionError(.protocolError, "A frame's padding is longer than the frame.")
        }
        return UnsafeRawBufferPointer(rebasing: self[1..<self.count - Int(paddingByteCount)])
    }
}

// MARK: - Writing

/// Writes header fields of HPACK (RFC 7541) that neither side has to remember.
enum HPACKLiteral {
    /// `:status: 200`, which has a number of its own.
    static let status200: UInt8 = 0x88
    /// A table of no bytes, which is all that this side uses; a decoder may insist on being told.
    static let tableSizeZero: UInt8 = 0x20

    /// Appends a field by its name and value, as they are.
    static func append(_ name: String, _ value: String, to output: inout ByteBuffer) {
        output.writeInteger(0 as UInt8)
        Self.append(name, to: &output)
        Self.append(value, to: &output)
    }

    /// A string after its length, which is a number of seven bits or of more bytes (RFC 7541, section 5.1).
    private static func append(_ text: String, to output: inout ByteBuffer) {
        var rest = text.utf8.count
        if rest < 0x7f {
            output.writeInteger(UInt8(rest))
        } else {
            output.writeInteger(0x7f as UInt8)
            rest -= 0x7f
            while rest > 0x7f {
                output.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            output.writeInteger(UInt8(rest))
        }
        output.writeString(text)
    }
}
