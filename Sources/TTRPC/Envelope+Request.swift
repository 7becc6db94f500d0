// The Request envelope, `Request {service=1; method=2; payload=3; timeout_nano=4; repeated KeyValue metadata=5}`.

internal import CRollcallProto
internal import NIOCore
internal import ProtobufC
internal import RPC

extension Ttrpc__Request {
    /// The metadata of the call; costs nothing where there is none.
    var callMetadata: Metadata {
        var metadata = Metadata()
        for index in 0..<self.n_metadata {
            if let pair = self.metadata[index]?.pointee {
                metadata.append(key: pair.key.string, value: pair.value.string)
            }
        }
        return metadata
    }

    /// When the caller stops waiting, if it says so; nil where that is over already.
    func deadline(now: @autoclosure () -> NIODeadline) -> NIODeadline? {
        guard self.timeout_nano != 0 else {
            return .distantFuture
        }
        guard self.timeout_nano > 0 else {
            return nil
        }
        let uptime = now().uptimeNanoseconds
        // A deadline is a signed number of nanoseconds underneath; a caller may name one beyond it.
        let (sum, isBeyond) = Int64(clamping: uptime).addingReportingOverflow(self.timeout_nano)
        return isBeyond ? .distantFuture : .uptimeNanoseconds(UInt64(sum))
    }
}

/// A Request frame as a client sends it, complete but for its stream id.
struct RequestFrame: Sendable {
    private let bytes: ByteBuffer

    /// Encodes a call.
    ///
    /// - Parameter timeout: what is left until the caller's deadline; nil for none.
    init(_ name: MethodName, payload: ByteBuffer, timeout: TimeAmount?, metadata: Metadata, flags: FrameHeader.Flags) {
        self.bytes = Arena.current.scope { arena in
            payload.withUnsafeReadableBytes { payload in
                let request = arena.make(Messages.ttrpcRequest)
                request.pointee.service = arena.text(name.service)
                request.pointee.method = arena.text(name.method)
                request.pointee.payload = arena.text(payload)
                // 0 would mean none, and less is over already.
                request.pointee.timeout_nano = timeout.map { $0.nanoseconds == 0 ? -1 : $0.nanoseconds } ?? 0
                request.pointee.metadata = arena.makePointerArray(count: metadata.pairs.count)
                request.pointee.n_metadata = metadata.pairs.count
                for (index, pair) in metadata.pairs.enumerated() {
                    let keyValue = arena.make(Messages.ttrpcKeyValue)
                    keyValue.pointee.key = arena.text(pair.key)
                    keyValue.pointee.value = arena.text(pair.value)
                    request.pointee.metadata[index] = keyValue
                }
                let byteCount = Encoding.packedByteCount(of: UnsafePointer(request))
                var frame = ByteBuffer()
                frame.reserveCapacity(FrameHeader.byteCount + byteCount)
                frame.writeFrameHeader(
                    FrameHeader(dataByteCount: byteCount, streamID: StreamID(0), kind: .request, flags: flags)
                )
                frame.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { buffer in
                    Encoding.pack(UnsafePointer(request), into: buffer)
                }
                return frame
            }
        }
    }

    /// How many bytes of data the frame has.
    var dataByteCount: Int {
        self.bytes.readableBytes - FrameHeader.byteCount
    }

    /// Appends the frame once its stream has a number.
    func write(to output: inout ByteBuffer, streamID: StreamID) {
        let index = output.writerIndex
        output.writeImmutableBuffer(self.bytes)
        output.setInteger(streamID.rawValue, at: index + 4)
    }
}
