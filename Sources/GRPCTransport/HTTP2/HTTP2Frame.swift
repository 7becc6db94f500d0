// The frames of HTTP/2 (RFC 9113, section 4 and 6): nine bytes before each payload.

internal import NIOCore
internal import RPC

/// The header of a frame.
struct HTTP2FrameHeader: Hashable {
    static let byteCount = 9
    /// The longest payload that a peer may send unless it is told otherwise, which this server never does.
    static let payloadByteCountMax = 16_384

    /// Numbers that the protocol does not know are kept, and ignored further on.
    struct Kind: RawRepresentable, Hashable {
        let rawValue: UInt8

        static let data = Self(rawValue: 0)
        static let headers = Self(rawValue: 1)
        static let priority = Self(rawValue: 2)
        static let rstStream = Self(rawValue: 3)
        static let settings = Self(rawValue: 4)
        static let pushPromise = Self(rawValue: 5)
        static let ping = Self(rawValue: 6)
        static let goAway = Self(rawValue: 7)
        static let windowUpdate = Self(rawValue: 8)
        static let continuation = Self(rawValue: 9)
    }

    struct Flags: OptionSet, Hashable {
        let rawValue: UInt8

        /// Of SETTINGS and PING: an acknowledgement.
        static let ack = Self(rawValue: 0x01)
        /// Of DATA and HEADERS: the sender sends no more on the stream.
        static let endStream = Self(rawValue: 0x01)
        static let endHeaders = Self(rawValue: 0x04)
        static let padded = Self(rawValue: 0x08)
        static let priority = Self(rawValue: 0x20)
    }

    let payloadByteCount: Int
    let kind: Kind
    let flags: Flags
    /// 0 is the connection itself.
    let streamID: StreamID

    init(payloadByteCount: Int, kind: Kind, flags: Flags = [], streamID: StreamID = .connection) {
        self.payloadByteCount = payloadByteCount
        self.kind = kind
        self.flags = flags
        self.streamID = streamID
    }

    /// - Precondition: `bytes` are ``byteCount``.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.payloadByteCount = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
        self.kind = Kind(rawValue: bytes[3])
        self.flags = Flags(rawValue: bytes[4])
        self.streamID = StreamID(bytes.bigEndian(at: 5) & 0x7fff_ffff)
    }
}

/// Why a stream or a connection ends (RFC 9113, section 7).
struct HTTP2ErrorCode: RawRepresentable, Hashable {
    let rawValue: UInt32

    static let noError = Self(rawValue: 0)
    static let protocolError = Self(rawValue: 1)
    static let flowControlError = Self(rawValue: 3)
    static let streamClosed = Self(rawValue: 5)
    static let frameSizeError = Self(rawValue: 6)
    static let refusedStream = Self(rawValue: 7)
    static let cancel = Self(rawValue: 8)
    static let compressionError = Self(rawValue: 9)
    static let enhanceYourCalm = Self(rawValue: 11)
}

/// A fault of the peer that ends the connection.
struct HTTP2ConnectionError: Error, Hashable, CustomStringConvertible {
    let code: HTTP2ErrorCode
    let description: String

    init(_ code: HTTP2ErrorCode, _ description: String) {
        self.code = code
        self.description = description
    }
}

extension StreamID {
    /// The connection as a whole.
    static let connection = StreamID(0)
}

extension UnsafeRawBufferPointer {
    func bigEndian(at index: Int) -> UInt32 {
        UInt32(bigEndian: self.loadUnaligned(fromByteOffset: index, as: UInt32.self))
    }

    func bigEndian(at index: Int) -> UInt16 {
        UInt16(bigEndian: self.loadUnaligned(fromByteOffset: index, as: UInt16.self))
    }
}

// MARK: - Writing

extension ByteBuffer {
    mutating func writeFrameHeader(_ header: HTTP2FrameHeader) {
        self.writeMultipleIntegers(
            UInt8(truncatingIfNeeded: header.payloadByteCount >> 16),
            UInt16(truncatingIfNeeded: header.payloadByteCount),
            header.kind.rawValue, header.flags.rawValue, header.streamID.rawValue
        )
    }

    /// Fills in the payload's length of a frame whose header is at `index`.
    mutating func setPayloadByteCount(_ byteCount: Int, ofFrameAt index: Int) {
        self.setInteger(UInt8(truncatingIfNeeded: byteCount >> 16), at: index)
        self.setInteger(UInt16(truncatingIfNeeded: byteCount), at: index + 1)
    }

    mutating func writeSettings(_ settings: [(HTTP2Setting, UInt32)]) {
        self.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: settings.count * 6, kind: .settings))
        for (setting, value) in settings {
            self.writeMultipleIntegers(setting.rawValue, value)
        }
    }

    mutating func writeSettingsAck() {
        self.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: 0, kind: .settings, flags: .ack))
    }

    mutating func writePing(_ data: UInt64, isAck: Bool) {
        self.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: 8, kind: .ping, flags: isAck ? .ack : []))
        self.writeInteger(data)
    }

    mutating func writeWindowUpdate(_ streamID: StreamID, byteCount: Int) {
        self.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: 4, kind: .windowUpdate, streamID: streamID))
        self.writeInteger(UInt32(byteCount))
    }

    mutating func writeReset(_ streamID: StreamID, _ code: HTTP2ErrorCode) {
        self.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: 4, kind: .rstStream, streamID: streamID))
        self.writeInteger(code.rawValue)
    }

    mutating func writeGoAway(lastStreamID: StreamID, _ code: HTTP2ErrorCode) {
        self.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: 8, kind: .goAway))
        self.writeMultipleIntegers(lastStreamID.rawValue, code.rawValue)
    }
}

/// What either side tells the other of itself (RFC 9113, section 6.5.2).
struct HTTP2Setting: RawRepresentable, Hashable {
    let rawValue: UInt16

    static let headerTableSize = Self(rawValue: 1)
    static let enablePush = Self(rawValue: 2)
    static let maxConcurrentStreams = Self(rawValue: 3)
    static let initialWindowSize = Self(rawValue: 4)
    static let maxFrameSize = Self(rawValue: 5)
    static let maxHeaderListSize = Self(rawValue: 6)
}
