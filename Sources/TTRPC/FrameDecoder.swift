// Frames out of bytes as they come off a socket: any number of them, cut anywhere, in one pass over each read.

package import NIOCore

/// Takes frames apart. A value: it neither reads nor answers.
///
/// A frame that lies whole within a read is handed out in place. Only a frame cut by the end of a read is copied, and
/// the bytes of one that is over the limit are counted off without being stored.
package struct FrameDecoder {
    /// What the bytes say. The data is valid only while the event is handled.
    package enum Event {
        case frame(FrameHeader, data: UnsafeRawBufferPointer)
        /// A frame longer than the limit; its data is skipped.
        case oversizeFrame(FrameHeader)
        /// The first byte of a header is not zero, so this is not ttrpc. No event follows.
        case protocolMismatch
    }

    /// A carried-over buffer larger than this is given back once it is empty.
    private static let retainedByteCountMax = 64 << 10

    private let dataByteCountMax: Int
    /// The beginning of a frame whose end has not come yet.
    private var cut = ByteBuffer()
    /// How much of an oversize frame is still to come.
    private var skippedByteCount = 0
    private var isMismatched = false

    package init(dataByteCountMax: Int) {
        self.dataByteCountMax = dataByteCountMax
    }

    /// What is kept of a frame whose end has not come yet.
    package var cutByteCount: Int {
        self.cut.readableBytes
    }

    /// Hands every event of `read` to `receive` and keeps the rest for the next read.
    package mutating func decode(_ read: ByteBuffer, _ receive: (Event) -> Void) {
        guard self.cut.readableBytes > 0 else {
            let takenByteCount = read.withUnsafeReadableBytes { self.takeEvents(of: $0, receive) }
            if takenByteCount < read.readableBytes, !self.isMismatched {
                var rest = read
                rest.moveReaderIndex(forwardBy: takenByteCount)
                self.cut.clear()
                self.cut.writeImmutableBuffer(rest)
            }
            return
        }
        self.cut.writeImmutableBuffer(read)
        // Moved out meanwhile: the events are read in place, and nothing else may reach the bytes.
        var bytes = self.cut
        self.cut = ByteBuffer()
        bytes.moveReaderIndex(forwardBy: bytes.withUnsafeReadableBytes { self.takeEvents(of: $0, receive) })
        guard !self.isMismatched, bytes.readableBytes > 0 || bytes.capacity <= Self.retainedByteCountMax else {
            return
        }
        bytes.discardReadBytes()
        self.cut = bytes
    }

    /// Returns how many of `bytes` the events took.
    private mutating func takeEvents(of bytes: UnsafeRawBufferPointer, _ receive: (Event) -> Void) -> Int {
        var index = 0
        while index < bytes.count, !self.isMismatched {
            if self.skippedByteCount > 0 {
                let count = min(self.skippedByteCount, bytes.count - index)
                self.skippedByteCount -= count
                index += count
                continue
            }
            guard bytes[index] == 0 else {
                self.isMismatched = true
                receive(.protocolMismatch)
                break
            }
            guard bytes.count - index >= FrameHeader.byteCount else {
                break
            }
            let header = FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[index..<index + FrameHeader.byteCount]))
            let dataIndex = index + FrameHeader.byteCount
            guard header.dataByteCount <= self.dataByteCountMax else {
                self.skippedByteCount = header.dataByteCount
                index = dataIndex
                receive(.oversizeFrame(header))
                continue
            }
            guard bytes.count - dataIndex >= header.dataByteCount else {
                break
            }
            index = dataIndex + header.dataByteCount
            receive(.frame(header, data: UnsafeRawBufferPointer(rebasing: bytes[dataIndex..<index])))
        }
        return index
    }
}
