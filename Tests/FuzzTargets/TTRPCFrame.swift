// ttrpc frames out of bytes that are cut anywhere.

internal import NIOCore
internal import RPC
internal import RollcallTesting
internal import TTRPC

extension FuzzTarget {
    /// However bytes are cut, the decoder sees in them what reading the whole of them slowly does.
    static let ttrpcFrame = FuzzTarget(
        "ttrpc-frame", "ttrpc frames, cut anywhere", byteCountMax: 4_096,
        seeds: {
            let request = TTRPCBytes.request(1, "Echo", payload: Array("hello".utf8))
            let long = TTRPCBytes.frame(type: 3, id: 5, Array(repeating: 7, count: FrameReading.dataByteCountMax + 1))
            return [
                FuzzSeed("whole", [0] + request + TTRPCBytes.frame(type: 3, flags: 5, id: 3)),
                FuzzSeed("in-sevens", [7] + request + request),
                FuzzSeed("oversize", [100] + long + request),
                FuzzSeed("oversize-and-cut", [0] + long.dropLast(3)),
                FuzzSeed("reserved-byte", [3] + request + [1] + request),
                FuzzSeed("header-cut", [2] + request + request.prefix(9)),
            ]
        },
        feed: { bytes in
            var input = FuzzInput(bytes)
            let pieceByteCount = Int(input.byte())
            let expected = FrameReading.naively(input.rest)
            for byteCount in [0, 1, pieceByteCount] {
                let events = FrameReading.decoded(input.rest.pieces(of: byteCount))
                guard events != expected else { continue }
                throw FuzzFinding("In pieces of \(byteCount) bytes the frames are \(events), and not \(expected).")
            }
        })
}

/// What bytes say, as values that can be compared.
private enum FrameReading: Equatable {
    case frame(FrameHeader, data: [UInt8])
    case oversize(FrameHeader)
    case mismatch

    static let dataByteCountMax = 256

    static func decoded(_ pieces: [ArraySlice<UInt8>]) -> [FrameReading] {
        var decoder = FrameDecoder(dataByteCountMax: Self.dataByteCountMax)
        var events: [FrameReading] = []
        for piece in pieces {
            decoder.decode(ByteBuffer(bytes: piece)) { event in
                switch event {
                case .frame(let header, let data): events.append(.frame(header, data: Array(data)))
                case .oversizeFrame(let header): events.append(.oversize(header))
                case .protocolMismatch: events.append(.mismatch)
                }
            }
        }
        return events
    }

    /// A frame at a time off the front of all the bytes, by the table in the protocol's description.
    static func naively(_ bytes: ArraySlice<UInt8>) -> [FrameReading] {
        var rest = bytes
        var events: [FrameReading] = []
        while let first = rest.first {
            guard first == 0 else { return events + [.mismatch] }
            guard rest.count >= 10 else { break }
            let head = Array(rest.prefix(10))
            let header = FrameHeader(
                dataByteCount: head[..<4].reduce(0) { $0 << 8 | Int($1) },
                streamID: StreamID(head[4..<8].reduce(0) { $0 << 8 | UInt32($1) }),
                kind: FrameHeader.Kind(rawValue: head[8]), flags: FrameHeader.Flags(rawValue: head[9]))
            let data = rest.dropFirst(10)
            if header.dataByteCount > Self.dataByteCountMax {
                events.append(.oversize(header))
            } else if data.count < header.dataByteCount {
                break
            } else {
                events.append(.frame(header, data: Array(data.prefix(header.dataByteCount))))
            }
            rest = data.dropFirst(header.dataByteCount)
        }
        return events
    }
}

/// ttrpc as a client writes it.
enum TTRPCBytes {
    static func frame(type: UInt8, flags: UInt8 = 0, id: UInt32, _ data: some Sequence<UInt8> = []) -> [UInt8] {
        let data = Array(data)
        return HTTP2Connection.bigEndian(UInt32(data.count)) + HTTP2Connection.bigEndian(id) + [type, flags] + data
    }

    /// A Request frame that calls a method of the service of the tests.
    static func request(_ id: UInt32, _ method: String, flags: UInt8 = 0, payload: [UInt8] = []) -> [UInt8] {
        Self.frame(type: 1, flags: flags, id: id, Self.envelope(method, payload))
    }

    /// `Request {service=1; method=2; payload=3; timeout_nano=4}`; texts of up to 16,383 bytes.
    static func envelope(_ method: String, _ payload: [UInt8], timeoutNanoseconds: UInt8 = 0) -> [UInt8] {
        Self.field(1, Array(EchoService.service.utf8)) + Self.field(2, Array(method.utf8)) + Self.field(3, payload)
            + (timeoutNanoseconds == 0 ? [] : [4 << 3, timeoutNanoseconds & 0x7F])
    }

    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count & 0x7F) | 0x80, UInt8(bytes.count >> 7 & 0x7F)] + bytes
    }
}
