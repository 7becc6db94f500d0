// Frames written and read by hand, so that the tests do not lean on the code that they check.

import NIOCore
import ProtobufC
import RPC

@testable import TTRPC

/// One frame as it stands on the wire.
struct RawFrame: Equatable, Sendable, CustomStringConvertible {
    var id: UInt32
    var type: UInt8
    var flags: UInt8
    var data: [UInt8]

    /// `00 00 00 03  00 00 00 01  03  00  61 62 63`: length, stream id, type, flags, data.
    var bytes: [UInt8] {
        Self.bigEndian(UInt32(self.data.count)) + Self.bigEndian(self.id) + [self.type, self.flags] + self.data
    }

    var description: String {
        "frame \(self.id) type \(self.type) flags \(self.flags) data \(self.data.prefix(64))"
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

// MARK: - What a client sends

extension RawFrame {
    static let remoteClosed: UInt8 = 0x01
    static let remoteOpen: UInt8 = 0x02
    static let noData: UInt8 = 0x04

    static func request(
        _ id: UInt32, _ method: String, _ payload: String = "", service: String = "test.v1.Echo", flags: UInt8 = 0,
        timeoutNanoseconds: Int64 = 0, metadata: [(String, String)] = []
    ) -> RawFrame {
        var data = Self.field(1, Array(service.utf8)) + Self.field(2, Array(method.utf8))
        if !payload.isEmpty {
            data += Self.field(3, Array(payload.utf8))
        }
        if timeoutNanoseconds != 0 {
            data += [4 << 3] + Self.varint(UInt64(bitPattern: timeoutNanoseconds))
        }
        for (key, value) in metadata {
            data += Self.field(5, Self.field(1, Array(key.utf8)) + Self.field(2, Array(value.utf8)))
        }
        return RawFrame(id: id, type: 1, flags: flags, data: data)
    }

    static func data(_ id: UInt32, _ message: String = "", flags: UInt8 = 0) -> RawFrame {
        RawFrame(id: id, type: 3, flags: flags, data: Array(message.utf8))
    }

    /// Data RC+ND: the client sends no more.
    static func halfClose(_ id: UInt32) -> RawFrame {
        .data(id, flags: Self.remoteClosed | Self.noData)
    }

    static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + Self.varint(UInt64(bytes.count)) + bytes
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }
}

// MARK: - What a server sends

extension RawFrame {
    /// The end of a stream that went well: an empty Data RC+ND.
    static func streamEnd(_ id: UInt32) -> RawFrame {
        .halfClose(id)
    }

    /// An OK Response: the empty status `0a 00`, then the payload unless it is empty.
    static func reply(_ id: UInt32, _ payload: String = "") -> RawFrame {
        let bytes = Array(payload.utf8)
        return RawFrame(id: id, type: 2, flags: 0, data: [0x0a, 0x00] + (bytes.isEmpty ? [] : Self.field(2, bytes)))
    }

    /// The status of a Response.
    var status: Status {
        get throws {
            try self.data.withUnsafeBytes { try ResponseEnvelope($0, Arena.current).status }
        }
    }

    /// Takes the frames off the front of `buffer`, as far as they are whole.
    static func read(from buffer: inout ByteBuffer) -> RawFrame? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
            buffer.readableBytes >= 10 + Int(length)
        else {
            return nil
        }
        guard let (_, id, type, flags) = buffer.readMultipleIntegers(as: (UInt32, UInt32, UInt8, UInt8).self),
            let data = buffer.readBytes(length: Int(length))
        else {
            return nil
        }
        return RawFrame(id: id, type: type, flags: flags, data: data)
    }
}
