// Values of a repeated field, straight into a reply's buffer.

import CRollcallProto
import DeviceModel
@testable import DeviceService
import DeviceWire
import NIOCore
import ProtobufC
import Testing

/// What a device takes is known only once it is written: its length is put before it afterwards.
@Suite struct ElementTests {
    private static func withDevice(_ textByteCount: Int, _ body: (DeviceSource) -> Void) {
        [UInt8](repeating: UInt8(ascii: "a"), count: textByteCount).withUnsafeBytes { text in
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            body(
                DeviceSource(
                    id: 1, createdDate: .epoch, updatedDate: .epoch, serial: text, ownerRef: none,
                    hardwareVersion: none,
                    lastSeen: nil, release: nil, cohort: DeviceSource.Cohort(id: 1, name: none, slug: none),
                    etag: Etag(storeTag: 1, revision: .zero)))
        }
    }

    /// Lengths of one byte, of two and of three.
    @Test(arguments: [0, 1, 80, 100, 101, 102, 103, 110, 300, 16_300, 16_360, 16_370, 20_000])
    func anElementIsItsTagItsLengthAndItsValue(textByteCount: Int) {
        Self.withDevice(textByteCount) { device in
            var value = ByteBuffer()
            value.append(device)
            var expected = WireWriter()
            expected.append(2, bytes: Array(value.readableBytesView))
            var buffer = ByteBuffer(string: "before")
            let isWritten = buffer.append(device, asElementOf: 2)
            #expect(isWritten)
            #expect(Array(buffer.readableBytesView) == Array("before".utf8) + expected.bytes)
        }
    }

    @Test func anElementThatGoesTooFarIsNotWritten() {
        Self.withDevice(70) { device in
            var first = ByteBuffer(string: "before")
            _ = first.append(device, asElementOf: 1)
            let length = first.readableBytes
            var second = ByteBuffer(string: "before")
            let isWrittenBeyond = second.append(device, asElementOf: 1, byteCountMax: length - 1)
            #expect(!isWrittenBeyond && second == ByteBuffer(string: "before"))
            let isWritten = second.append(device, asElementOf: 1, byteCountMax: length)
            #expect(isWritten && second == first)
        }
    }

    @Test func whatFollowsADeviceCountsAsItsOwn() {
        Self.withDevice(20) { device in
            Arena().scope { arena in
                let rest = arena.make(Messages.device)
                rest.pointee.owner_ref = arena.text(String(repeating: "b", count: 200))
                var (value, end) = (ByteBuffer(), ByteBuffer())
                value.append(device)
                end.append(rest)
                value.writeBuffer(&end)
                var expected = ByteBuffer()
                expected.append(value, asElementOf: 3)
                var buffer = ByteBuffer()
                let isWritten = buffer.append(device, followedBy: rest, asElementOf: 3)
                #expect(isWritten && buffer == expected)
            }
        }
    }
}
