import ProtobufC
import Testing

/// Fields without their types, both ways.
@Suite struct WireFieldsTests {
    private func fields(_ bytes: [UInt8]) throws -> [WireField] {
        var reader = WireFields(bytes[...])
        var fields: [WireField] = []
        while let field = try reader.next() {
            fields.append(field)
        }
        return fields
    }

    @Test func whatIsWrittenIsRead() throws {
        var writer = WireWriter()
        writer.append(1, varint: 0)
        writer.append(15, varint: .max)
        writer.append(16, fixed64: 0x0102_0304_0506_0708)
        writer.append(1 << 29 - 1, fixed32: 0xFFFF_FFFE)
        writer.append(2, bytes: "abc".utf8)
        writer.append(3, bytes: [])
        let fields = try self.fields(writer.bytes)
        #expect(fields.map(\.number) == [1, 15, 16, 1 << 29 - 1, 2, 3])
        let values: [WireField.Value] = [
            .varint(0), .varint(.max), .fixed64(0x0102_0304_0506_0708), .fixed32(0xFFFF_FFFE),
            .bytes(Array("abc".utf8)[...]), .bytes([]),
        ]
        #expect(fields.map(\.value) == values)
    }

    @Test func bytesAreThoseOfTheFormat() {
        var writer = WireWriter()
        // Field 1, varint 150: the format's own example.
        writer.append(1, varint: 150)
        // Field 2, "testing".
        writer.append(2, bytes: "testing".utf8)
        let golden: [UInt8] = [0x08, 0x96, 0x01, 0x12, 0x07] + Array("testing".utf8)
        #expect(writer.bytes == golden)
    }

    @Test func packedListsAreWholeOrRefused() throws {
        #expect(try WireFields.varints(packed: [0x01, 0x96, 0x01]) == [1, 150])
        #expect(try WireFields.fixed(UInt32.self, packed: [1, 0, 0, 0, 0, 1, 0, 0]) == [1, 256])
        #expect(throws: DecodingError.self) { try WireFields.varints(packed: [0x96]) }
        #expect(throws: DecodingError.self) { try WireFields.fixed(UInt64.self, packed: [1, 0, 0, 0]) }
    }

    @Test func everyCutOfAMessageIsReadOrRefused() throws {
        var writer = WireWriter()
        writer.append(1, varint: 300)
        writer.append(2, bytes: [1, 2, 3])
        writer.append(3, fixed64: 1)
        let whole = [0, 3, 8, 17]
        for count in 0...writer.bytes.count {
            let cut = Array(writer.bytes.prefix(count))
            if whole.contains(count) {
                #expect(try self.fields(cut).count == whole.firstIndex(of: count))
            } else {
                #expect(throws: DecodingError.self, "\(count)") { try self.fields(cut) }
            }
        }
        // Number 0, a group, wire types 6 and 7, and a varint without an end.
        for bytes: [UInt8] in [[0x00, 0x00], [0x0B, 0x0C], [0x0E], [0x0F], Array(repeating: 0xFF, count: 16)] {
            #expect(throws: DecodingError.self, "\(bytes)") { try self.fields(bytes) }
        }
    }
}
