// Frames out of bytes as they come off a socket: any number of them, cut anywhere, in one pass over each read.

internal import NIOCore
internal import RPC

/// Takes frames apart, after the preface that a client begins with. A value: it neither reads nor answers.
///
/// A frame that lies whole within a read is handed out in place. Only a frame cut by the end of a read is copied.
struct HTTP2FrameDecoder {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// A carried-over buffer larger than this is given back once it is empty.
    private static let retainedByteCountMax = 64 << 10

    /// Bytes of the preface that are still to come.
    private var missingPreface = Self.preface[...]
    /// The beginning of a frame whose end has not come yet.
    private var cut = ByteBuffer()

    /// Hands every frame of `read` to `receive`, whose payload is valid during the call only, and keeps the rest for the next read.
    ///
    /// - Throws: PROTOCOL_ERROR where the bytes do not begin as HTTP/2 does, FRAME_SIZE_ERROR for a frame that is too long, and
    ///   what `receive` throws; nothing is to be decoded after that.
    mutating func decode(
        _ read: ByteBuffer,
        _ receive: (HTTP2FrameHeader, UnsafeRawBufferPointer) throws(HTTP2ConnectionError) -> Void
    ) throws(HTTP2ConnectionError) {
        guard self.cut.readableBytes > 0 else {
            let takenByteCount = try self.takeFrames(of: read, receive)
            if takenByteCount < read.readableBytes {
                var rest = read
                rest.moveReaderIndex(forwardBy: takenByteCount)
                self.cut.clear()
                self.cut.writeImmutableBuffer(rest)
            }
            return
        }
        self.cut.writeImmutableBuffer(read)
        // Moved out meanwhile: the frames are read in place, and nothing else may reach the bytes.
        var bytes = self.cut
        self.cut = ByteBuffer()
        bytes.moveReaderIndex(forwardBy: try self.takeFrames(of: bytes, receive))
        guard bytes.readableBytes > 0 || bytes.capacity <= Self.retainedByteCountMax else {
            return
        }
        bytes.discardReadBytes()
        self.cut = bytes
    }

    /// Returns how many bytes the frames took.
    private mutating func takeFrames(
        of buffer: ByteBuffer,
        _ receive: (HTTP2FrameHeader, UnsafeRawBufferPointer) throws(HTTP2ConnectionError) -> Void
    ) throws(HTTP2ConnectionError) -> Int {
        // The buffer's own accessor throws untyped errors.
        try buffer.withUnsafeReadableBytes { bytes -> Result<Int, HTTP2ConnectionError> in
            do throws(HTTP2ConnectionError) {
                return .success(try self.takeFrames(of: bytes, receive))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    private mutating func takeFrames(
        of bytes: UnsafeRawBufferPointer,
        _ receive: (HTTP2FrameHeader, UnsafeRawBufferPointer) throws(HTTP2ConnectionError) -> Void
    ) throws(HTTP2ConnectionError) -> Int {
        var index = 0
        while let expected = self.missingPreface.first, index < bytes.count {
            guard bytes[index] == expected else {
                throw HTTP2ConnectionError(.protocolError, "The connection does not begin with the preface of HTTP/2.")
            }
            self.missingPreface.removeFirst()
            index += 1
        }
        while bytes.count - index >= HTTP2FrameHeader.byteCount {
            let payloadIndex = index + HTTP2FrameHeader.byteCount
            let header = HTTP2FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[index..<payloadIndex]))
            guard header.payloadByteCount <= HTTP2FrameHeader.payloadByteCountMax else {
                throw HTTP2ConnectionError(.frameSizeError, "A frame is longer than this server takes.")
            }
            guard bytes.count - payloadIndex >= header.payloadByteCount else {
                break
            }
            index = payloadIndex + header.payloadByteCount
            try receive(header, UnsafeRawBufferPointer(rebasing: bytes[payloadIndex..<index]))
        }
        return index
    }
}
