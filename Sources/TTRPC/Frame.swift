// The ttrpc frame header: ten bytes, big-endian, before each message.

internal import NIOCore
package import RPC

/// The header of a frame.
package struct FrameHeader: Hashable, Sendable {
    /// The header's own length in bytes.
    package static let byteCount = 10

    /// What a frame carries. Numbers that no version of the protocol knows are kept, and ignored further on.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Opens a stream.
        package static let request = Self(rawValue: 1)
        /// Ends a stream.
        package static let response = Self(rawValue: 2)
        /// One message of an open stream.
        package static let data = Self(rawValue: 3)
    }

    /// What a frame says of its sender's side of the stream. Unknown bits are kept and mean nothing.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The sender sends no more on this stream (RC).
        package static let remoteClosed = Self(rawValue: 0x01)
        /// The sender will send more on this stream (RO).
        package static let remoteOpen = Self(rawValue: 0x02)
        /// The frame has no message; without it, no bytes are an empty message (ND).
        package static let noData = Self(rawValue: 0x04)
    }

    /// How many bytes follow the header.
    package var dataByteCount: Int
    package var streamID: StreamID
    package var kind: Kind
    package var flags: Flags

    package init(dataByteCount: Int, streamID: StreamID, kind: Kind, flags: Flags = []) {
        self.dataByteCount = dataByteCount
        self.streamID = streamID
        self.kind = kind
        self.flags = flags
    }

    /// Reads a header from the first ten of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.dataByteCount = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)))
        self.streamID = StreamID(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        self.kind = Kind(rawValue: bytes[8])
        self.flags = Flags(rawValue: bytes[9])
    }
}

extension ByteBuffer {
    /// Appends a frame header.
    mutating func writeFrameHeader(_ header: FrameHeader) {
        self.writeMultipleIntegers(
            UInt32(header.dataByteCount), header.streamID.rawValue, header.kind.rawValue, header.flags.rawValue
        )
    }
}
