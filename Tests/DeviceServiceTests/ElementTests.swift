// Values of a repeated field, straight into a reply's buffer.

import CRollcallProto
import DeviceModel
@testable import DeviceQuery
@testable import DeviceService
import DeviceWire
import NIOCore
import ProtobufC
import RollcallTesting
import Testing

/// What a device takes is known only once it is written: its length is put before it afterwards.
@Suite struct ElementTests {
    private static func withDevice(_ textByteCount: Int, _ body: (BorrowedRecord) -> Void) {
        [UInt8](repeating: UInt8(ascii: "a"), count: textByteCount).withUnsafeBytes { text in
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            body(
                BorrowedRecord(
                    id: DeviceID(rawValue: 1), createdDate: .epoch, updatedDate: .epoch, serial: text,
                    ownerRef: none, hardwareVersion: none, lastSeen: nil, release: nil,
                    cohort: BorrowedRecord.Cohort(id: CohortID(rawValue: 1), name: none, slug: none),
                    etagRevision: .zero))
        }
    }

    /// Lengths of one byte, of two and of three.
    @Test(arguments: [0, 1, 80, 100, 101, 102, 103, 110, 300, 16_300, 16_360, 16_370, 20_000])
    func anElementIsItsTagItsLengthAndItsValue(textByteCount: Int) {
        Self.withDevice(textByteCount) { device in
            var value = ByteBuffer()
            value.append(device, storeTag: 1)
            var expected = WireWriter()
            expected.append(2, bytes: Array(value.readableBytesView))
            var buffer = ByteBuffer(string: "before")
            let isWritten = buffer.append(device, storeTag: 1, asElementOf: 2)
            #expect(isWritten)
            #expect(Array(buffer.readableBytesView) == Array("before".utf8) + expected.bytes)
        }
    }

    @Test func anElementThatGoesTooFarIsNotWritten() {
        Self.withDevice(70) { device in
            var first = ByteBuffer(string: "before")
            _ = first.append(device, storeTag: 1, asElementOf: 1)
            let length = first.readableBytes
            var second = ByteBuffer(string: "before")
            let isWrittenBeyond = second.append(device, storeTag: 1, asElementOf: 1, byteCountMax: length - 1)
            #expect(!isWrittenBeyond && second == ByteBuffer(string: "before"))
            let isWritten = second.append(device, storeTag: 1, asElementOf: 1, byteCountMax: length)
            #expect(isWritten && second == first)
        }
    }

    @Test func whatFollowsADeviceCountsAsItsOwn() {
        Self.withDevice(20) { device in
            Arena().scope { arena in
                let rest = arena.make(Messages.device)
                rest.pointee.owner_ref = arena.text(String(repeating: "b", count: 200))
                var (value, end) = (ByteBuffer(), ByteBuffer())
                value.append(device, storeTag: 1)
                end.append(rest)
                value.writeBuffer(&end)
                var expected = ByteBuffer()
                expected.append(value, asElementOf: 3)
                var buffer = ByteBuffer()
                let isWritten = buffer.append(device, storeTag: 1, followedBy: rest, asElementOf: 3)
                #expect(isWritten && buffer == expected)
            }
        }
    }

    /// What is gathered in a block is the same as what is written one by one: what fits, what fills it, and what is too long for it.
    @Test func elementsOfABlockComeInTheirOrder() {
        let lengths = [10, 0, 100, 4_000, 30, 4_080, 4_090, 5_000, 1, 2_000, 2_000, 200]
        Arena().scope { arena in
            var expected = WireWriter()
            expected.append(1, bytes: Array("before".utf8))
            var reply = ByteBuffer(bytes: expected.bytes)
            var block = ElementBlock(arena)
            for (place, length) in lengths.enumerated() {
                let text = arena.text(String(repeating: "x", count: length)).bytes
                let group = BorrowedGroup(first: .text(text), second: nil, count: Int64(place), totalCount: 0)
                let isWritten = block.append(group, asElementOf: 2, of: &reply, byteCountMax: .max)
                #expect(isWritten)
                expected.append(2, bytes: packed(group))
            }
            block.flush(to: &reply)
            #expect(Array(reply.readableBytesView) == expected.bytes)
        }
    }

    /// Within the first block, and after several of them.
    @Test(arguments: [3, 100])
    func aBlockGoesNoFurtherThanItsReplyMay(elementCount: Int) {
        Arena().scope { arena in
            let text = arena.text(String(repeating: "x", count: 100)).bytes
            let group = BorrowedGroup(first: .text(text), second: nil, count: 1, totalCount: 0)
            let length = packed(group).count + 2
            for byteCountMax in [elementCount * length - 1, elementCount * length, elementCount * length + 1] {
                var reply = ByteBuffer(string: "before")
                var block = ElementBlock(arena)
                var count = 0
                while block.append(group, asElementOf: 2, of: &reply, byteCountMax: 6 + byteCountMax) { count += 1 }
                block.flush(to: &reply)
                #expect(count == byteCountMax / length && reply.readableBytes == 6 + count * length)
            }
        }
    }
}
