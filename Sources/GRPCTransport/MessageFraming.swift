// Messages on a stream: a flag, a length of four bytes, and that many bytes.

internal import NIOCore

/// What stands before each message.
enum MessagePrefix {
    static let byteCount = 5

    /// Appends a whole message, or nothing if `encode` throws.
    ///
    /// - Parameter encode: appends the message's bytes.
    static func append<Failure: Error>(
        to output: inout ByteBuffer, _ encode: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        let startIndex = output.writerIndex
        output.writeRepeatingByte(0, count: Self.byteCount)
        do throws(Failure) {
            try encode(&output)
        } catch {
            output.moveWriterIndex(to: startIndex)
            throw error
        }
        output.setInteger(UInt32(output.writerIndex - startIndex - Self.byteCount), at: startIndex + 1)
    }

    /// The message of bytes that are one whole message with its prefix, not compressed; nil where they are anything else.
    static func onlyMessage(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.count >= Self.byteCount, bytes[0] == 0,
            Int(bytes.bigEndian(at: 1) as UInt32) == bytes.count - Self.byteCount
        else {
            return nil
        }
        return UnsafeRawBufferPointer(rebasing: bytes[Self.byteCount...])
    }
}

/// Cuts what comes in on a stream into messages.
///
/// A message is refused as soon as its prefix is there: nothing of it is kept.
struct MessageDeframer {
    enum Failure: Error, Hashable {
        case compressed
        /// The flag is neither 0 nor 1.
        case badPrefix
        case tooLong
    }

    private let messageByteCountMax: Int
    private var buffer = ByteBuffer()

    init(messageByteCountMax: Int) {
        self.messageByteCountMax = messageByteCountMax
    }

    /// Bytes of a message that is not complete yet.
    var byteCount: Int {
        self.buffer.readableBytes
    }

    /// The memory that they have.
    var capacity: Int {
        self.buffer.capacity
    }

    /// Takes more bytes in.
    mutating func append(_ bytes: ByteBuffer) {
        if self.buffer.readableBytes == 0 {
            self.buffer = bytes
        } else {
            // What was taken out of a buffer stays in it otherwise, for as long as messages do not end where pieces do.
            self.buffer.discardReadBytes()
            self.buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next whole message; nil until there is one.
    mutating func next() throws(Failure) -> ByteBuffer? {
        guard let flag = self.buffer.getInteger(at: self.buffer.readerIndex, as: UInt8.self) else { return nil }
        guard flag == 0 else { throw flag == 1 ? .compressed : .badPrefix }
        guard let length = self.buffer.getInteger(at: self.buffer.readerIndex + 1, as: UInt32.self) else { return nil }
        guard Int(length) <= self.messageByteCountMax else { throw .tooLong }
        guard self.buffer.readableBytes >= MessagePrefix.byteCount + Int(length) else { return nil }
        self.buffer.moveReaderIndex(forwardBy: MessagePrefix.byteCount)
        defer {
            if self.buffer.readableBytes == 0 { self.buffer = ByteBuffer() }
        }
        return self.buffer.readSlice(length: Int(length))
    }

    /// Lets go of what has come in.
    mutating func removeAll() {
        self.buffer = ByteBuffer()
    }
}
