// The Response envelope, `Response {google.rpc.Status status=1; bytes payload=2}`: written and read.

internal import CRollcallProto
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import StatusWire

/// A Response frame whose payload is appended in place.
///
/// The bytes are those that protobuf-c gives: the empty status of success (`0a 00`, without which old Rust clients wait
/// for ever on an empty message), then the payload unless it is empty. Nothing is copied as long as the payload's
/// length takes two bytes, from 128 to 16,383; any other payload is moved by a byte or two.
enum ReplyFrame {
    /// `0a 00`, the tag `12`, and a length of two bytes.
    private static let prefixByteCount = 5
    private static let payloadIndex = FrameHeader.byteCount + Self.prefixByteCount

    /// Appends a whole frame, or nothing if `encode` throws or the frame is too long.
    ///
    /// - Parameter encode: appends the payload.
    /// - Throws: what `encode` throws; RESOURCE_EXHAUSTED when there are more than `byteCountMax` bytes of data.
    @inline(__always)
    static func append(
        to output: inout ByteBuffer, streamID: StreamID, byteCountMax: Int,
        _ encode: (inout ByteBuffer) throws(Status) -> Void
    ) throws(Status) {
        let startIndex = output.writerIndex
        // Room for what stands before the payload, which is filled in below.
        output.reserveCapacity(minimumWritableBytes: Self.payloadIndex)
        output.moveWriterIndex(forwardBy: Self.payloadIndex)
        do throws(Status) {
            try encode(&output)
            let dataByteCount = Self.finish(in: &output, startIndex: startIndex, streamID: streamID)
            guard dataByteCount <= byteCountMax else {
                throw Status.messageTooLong(byteCountMax: byteCountMax)
            }
        } catch {
            output.moveWriterIndex(to: startIndex)
            throw error
        }
    }

    /// Fills in what stands before the payload, which ends where `output` ends; returns how much data the frame has.
    private static func finish(in output: inout ByteBuffer, startIndex: Int, streamID: StreamID) -> Int {
        let payloadByteCount = output.writerIndex - startIndex - Self.payloadIndex
        precondition(payloadByteCount >= 0, "A method may only append to its reply.")
        let lengthByteCount = (Int.bitWidth - payloadByteCount.leadingZeroBitCount + 6) / 7
        let dataByteCount = payloadByteCount == 0 ? 2 : 3 + lengthByteCount + payloadByteCount
        if lengthByteCount > 2 {
            output.writeRepeatingByte(0, count: lengthByteCount - 2)
        }
        let start = startIndex - output.readerIndex
        // One access to the buffer for all of it: each costs more than the bytes that are written here.
        output.withUnsafeMutableReadableBytes { bytes in
            let frame = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            if lengthByteCount != 2 {
                let payload = frame[Self.payloadIndex..<Self.payloadIndex + payloadByteCount]
                UnsafeMutableRawBufferPointer(rebasing: frame[(Self.payloadIndex + lengthByteCount - 2)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: payload))
            }
            frame.storeBytes(of: UInt32(dataByteCount).bigEndian, as: UInt32.self)
            frame.storeBytes(of: streamID.rawValue.bigEndian, toByteOffset: 4, as: UInt32.self)
            frame[8] = FrameHeader.Kind.response.rawValue
            frame[9] = 0
            frame[10] = 0x0a
            frame[11] = 0
            var rest = payloadByteCount
            for index in 0..<lengthByteCount {
                frame[13 + index] = UInt8(truncatingIfNeeded: rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)
                rest >>= 7
            }
            if payloadByteCount > 0 {
                frame[12] = 0x12
            }
        }
        output.moveWriterIndex(to: startIndex + FrameHeader.byteCount + dataByteCount)
        return dataByteCount
    }
}

extension ByteBuffer {
    /// Appends the Response frame of a call that failed.
    ///
    /// Details that would make the frame longer than `byteCountMax` are left out, and so is the end of the message.
    mutating func writeErrorFrame(_ status: Status, streamID: StreamID, byteCountMax: Int, arena: Arena) {
        let bytes = status.packed(arena, byteCountMax: byteCountMax - Self.statusPrefixByteCountMax)
        let startIndex = self.writerIndex
        self.writeFrameHeader(FrameHeader(dataByteCount: 0, streamID: streamID, kind: .response))
        self.writeInteger(0x0a as UInt8)
        var rest = bytes.count
        while rest > 0x7f {
            self.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.writeInteger(UInt8(rest))
        self.writeBytes(bytes)
        self.setInteger(UInt32(self.writerIndex - startIndex - FrameHeader.byteCount), at: startIndex)
    }

    /// A tag and the longest length.
    private static let statusPrefixByteCountMax = 6
}

// MARK: - Reading

/// What a Response says.
struct ResponseEnvelope {
    let status: Status
    let payload: ByteBuffer

    /// Decodes the data of a Response frame.
    ///
    /// - Throws: ``Status`` INTERNAL when the bytes are not a Response.
    init(_ data: UnsafeRawBufferPointer, _ arena: Arena) throws(Status) {
        do {
            self = try arena.decode(Messages.ttrpcResponse, from: data) { response in
                Self(
                    status: response.pointee.status.map { Status($0.pointee, arena) } ?? .ok,
                    payload: ByteBuffer(bytes: response.pointee.payload.bytes)
                )
            }
        } catch {
            throw .defect("The server's reply cannot be decoded.")
        }
    }

    private init(status: Status, payload: ByteBuffer) {
        self.status = status
        self.payload = payload
    }
}
