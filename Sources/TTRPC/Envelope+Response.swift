// The Response envelope, `Response {google.rpc.Status status=1; bytes payload=2}`: written and read.

internal import CRollcallProto
internal import NIOCore
internal import ProtobufC
internal import RPC

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
        let bytes = status.packedResponse(arena)
        guard bytes.count <= byteCountMax else {
            precondition(
                status.details.count + status.message.utf8.count > 0, "The limit leaves no room for a bare status."
            )
            // Each round drops more: first the details, then half of the message at a time.
            var shorter = status
            shorter.details = []
            if status.details.isEmpty {
                shorter.message = String(status.message.prefix(status.message.count / 2))
            }
            self.writeErrorFrame(shorter, streamID: streamID, byteCountMax: byteCountMax, arena: arena)
            return
        }
        self.writeFrameHeader(FrameHeader(dataByteCount: bytes.count, streamID: streamID, kind: .response))
        self.writeBytes(bytes)
    }
}

// MARK: - Status

extension Status {
    private static let errorInfoTypeURL = "type.googleapis.com/google.rpc.ErrorInfo"

    /// The status in a Response envelope, encoded.
    fileprivate func packedResponse(_ arena: Arena) -> [UInt8] {
        let errorInfo = self.reason.map { reason in
            arena.scope { arena in
                let info = arena.make(Messages.googleRpcErrorInfo)
                info.pointee.reason = arena.text(reason)
                info.pointee.domain = arena.text(Self.errorDomain)
                return Detail(typeURL: Self.errorInfoTypeURL, value: Self.packed(info))
            }
        }
        let details = (errorInfo.map { [$0] } ?? []) + self.details
        // One run of bytes, so that all of them stay put while the message points at them.
        return details.flatMap(\.value).withUnsafeBytes { values in
            arena.scope { arena in
                let response = arena.make(Messages.ttrpcResponse)
                let status = arena.make(Messages.googleRpcStatus)
                status.pointee.code = self.code.rawValue
                status.pointee.message = arena.text(self.message)
                status.pointee.details = arena.makePointerArray(count: details.count)
                status.pointee.n_details = details.count
                var valueIndex = 0
                for (index, detail) in details.enumerated() {
                    let any = arena.make(Messages.googleProtobufAny)
                    let value = values[valueIndex..<valueIndex + detail.value.count]
                    valueIndex = value.endIndex
                    any.pointee.type_url = arena.text(detail.typeURL)
                    any.pointee.value = arena.text(UnsafeRawBufferPointer(rebasing: value))
                    status.pointee.details[index] = any
                }
                response.pointee.status = status
                return Self.packed(response)
            }
        }
    }

    private static func packed<Message>(_ message: UnsafeMutablePointer<Message>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Encoding.packedByteCount(of: UnsafePointer(message))) { bytes, count in
            count = Encoding.pack(UnsafePointer(message), into: UnsafeMutableRawBufferPointer(bytes))
        }
    }

    /// Reads a status off the wire, with its ErrorInfo of our domain taken out into ``reason``.
    fileprivate init(_ status: Google__Rpc__Status, _ arena: Arena) {
        self.init(Code(rawValue: status.code), status.message.string)
        for index in 0..<status.n_details {
            guard let any = status.details[index]?.pointee else {
                continue
            }
            let typeURL = any.type_url.string
            if self.reason == nil, typeURL == Self.errorInfoTypeURL,
                let reason = try? arena.decode(
                    Messages.googleRpcErrorInfo, from: any.value.bytes, { $0.pointee.reason.string }
                )
            {
                self.reason = reason
            } else {
                self.details.append(Detail(typeURL: typeURL, value: Array(any.value.bytes)))
            }
        }
    }
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
