// Public because the inlinable members of the extension below demand it; nothing here is public.
public import CProtobufC

/// Writing C messages.
package enum Encoding {
    /// How many bytes `pack` writes.
    ///
    /// - Complexity: O(size of the message).
    package static func packedByteCount<Message>(of message: UnsafePointer<Message>) -> Int {
        protobuf_c_message_get_packed_size(Self.base(of: message))
    }

    /// Writes the message to the front of `buffer`.
    ///
    /// - Parameters:
    ///   - message: A C message: a struct that starts with a `ProtobufCMessage`, as all in `Messages` do.
    ///   - buffer: At least `packedByteCount(of:)` bytes; protobuf-c itself does not look at its end.
    /// - Returns: How many bytes were written.
    /// - Complexity: O(size of the message).
    package static func pack<Message>(
        _ message: UnsafePointer<Message>,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard let start = buffer.baseAddress else {
            assert(Self.packedByteCount(of: message) == 0, "The buffer has room for the message.")
            return 0
        }
        assert(Self.packedByteCount(of: message) <= buffer.count, "The buffer has room for the message.")
        return protobuf_c_message_pack(Self.base(of: message), start.assumingMemoryBound(to: UInt8.self))
    }

    @inline(__always)
    private static func base<Message>(of message: UnsafePointer<Message>) -> UnsafePointer<ProtobufCMessage> {
        UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
    }
}

extension ProtobufCBinaryData {
    /// A view of `bytes`, which must outlive it.
    @inlinable
    package init(borrowing bytes: UnsafeRawBufferPointer) {
        // C takes the pointer as mutable, but packing only reads.
        let start = bytes.baseAddress.map { UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self)) }
        self.init(len: bytes.count, data: start)
    }

    /// The bytes, valid as long as the message that holds them.
    @inlinable package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.data, count: self.len)
    }

    /// The text; of a decoded message it is known to be UTF-8 without NUL.
    @inlinable package var string: String { String(decoding: self.bytes, as: UTF8.self) }
}
