import NIOCore
import RPC
import Testing

@testable import TTRPC

@Suite struct FrameDecoderTests {
    /// An event with its bytes copied, to be compared.
    private enum Seen: Equatable {
        case frame(RawFrame)
        case oversize(UInt32)
        case mismatch
    }

    private static func decode(_ reads: [[UInt8]], dataByteCountMax: Int = 100) -> [Seen] {
        var decoder = FrameDecoder(dataByteCountMax: dataByteCountMax)
        var seen: [Seen] = []
        for read in reads {
            // A reader index that is not zero, as in a buffer that someone has read from before.
            var buffer = ByteBuffer(bytes: [0xff] + read)
            buffer.moveReaderIndex(forwardBy: 1)
            decoder.decode(buffer) { event in
                switch event {
                case .frame(let header, let data):
                    seen.append(
                        .frame(
                            RawFrame(
                                id: header.streamID.rawValue, type: header.kind.rawValue, flags: header.flags.rawValue,
                                data: Array(data)
                            )
                        )
                    )
                case .oversizeFrame(let header):
                    seen.append(.oversize(header.streamID.rawValue))
                case .protocolMismatch:
                    seen.append(.mismatch)
                }
            }
        }
        return seen
    }

    private static let frames = [
        RawFrame(id: 1, type: 1, flags: 0, data: Array("hello".utf8)),
        RawFrame(id: 3, type: 3, flags: 5, data: []),
        RawFrame(id: 0xffff_ffff, type: 9, flags: 0xff, data: Array(repeating: 0, count: 100)),
    ]

    @Test func headerIsTenBytesBigEndian() {
        let bytes: [UInt8] = [
            0x00, 0x00, 0x00, 0x02,  // two bytes of data
            0x00, 0x00, 0x01, 0x01,  // stream 257
            0x03,  // Data
            0x05,  // remote closed, no data
            0xaa, 0xbb,
        ]
        #expect(Self.decode([bytes]) == [.frame(RawFrame(id: 257, type: 3, flags: 5, data: [0xaa, 0xbb]))])
    }

    @Test func framesOfOneReadComeInOnePass() {
        #expect(Self.decode([Self.frames.flatMap(\.bytes)]) == Self.frames.map { .frame($0) })
    }

    @Test func framesComeWhateverTheReadsAreCutInto() {
        let bytes = Self.frames.flatMap(\.bytes)
        let expected = Self.frames.map { Seen.frame($0) }
        for first in 0...bytes.count {
            #expect(Self.decode([Array(bytes[..<first]), Array(bytes[first...])]) == expected, "cut at \(first)")
            for second in first...bytes.count where second.isMultiple(of: 7) {
                let reads = [Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]
                #expect(Self.decode(reads) == expected, "cut at \(first) and \(second)")
            }
        }
        #expect(Self.decode(bytes.map { [$0] }) == expected, "byte by byte")
    }

    @Test func oversizeFrameIsReportedOnceAndSkippedWhereverItIsCut() {
        let oversize = RawFrame(id: 5, type: 1, flags: 0, data: Array(repeating: 0xee, count: 101))
        let bytes = oversize.bytes + Self.frames[0].bytes
        let expected: [Seen] = [.oversize(5), .frame(Self.frames[0])]
        for cut in 0...bytes.count {
            #expect(Self.decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(Self.decode(bytes.map { [$0] }) == expected, "byte by byte")
    }

    @Test func frameOfExactlyTheLimitPasses() {
        let frame = RawFrame(id: 5, type: 1, flags: 0, data: Array(repeating: 1, count: 100))
        #expect(Self.decode([frame.bytes]) == [.frame(frame)])
    }

    @Test func firstByteThatIsNotZeroEndsDecoding() {
        let bytes = Self.frames[0].bytes
        #expect(Self.decode([bytes + [0x50] + bytes, bytes]) == [.frame(Self.frames[0]), .mismatch])
        #expect(Self.decode([[0x50]]) == [.mismatch])
        #expect(
            Self.decode([Array(bytes.dropLast()), [bytes[14], 0x50], bytes]) == [.frame(Self.frames[0]), .mismatch])
    }
}
