import CRollcallProto
import ProtobufC
import Testing

@Suite struct WireGuardTests {
    private let arena = Arena()

    @Test(
        arguments: [
            ("tag without a value", [0x0A]),
            ("length over the rest", [0x0A, 0x02, 0x41]),
            ("length of six bytes", [0x0A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
            ("length of all ones", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
            ("tag that does not end", [0x8A]),
            ("tag of six bytes", [0x8A, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00]),
            ("field number zero", [0x02, 0x00]),
            ("field number over 2^29 - 1", [0xFA, 0xFF, 0xFF, 0xFF, 0x7F, 0x00]),
            ("varint that does not end", [0x18, 0x80]),
            ("varint of eleven bytes", [0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
            ("start of a group", [0x0B, 0x0C]),
            ("start of an unknown group", [0x7B, 0x7C]),
            ("end of a group", [0x0C]),
            ("wire type 6", [0x0E, 0x00]),
            ("wire type 7", [0x7F, 0x00]),
            ("varint for a text", [0x08, 0x01]),
            ("text for an enumeration", [0x1A, 0x01, 0x01]),
            ("eight bytes for an enumeration", [0x19, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("unknown field of eight bytes cut short", [0x79, 0, 0, 0, 0, 0, 0, 0]),
            ("unknown field of four bytes cut short", [0x7D, 0, 0, 0]),
        ] as [(String, [UInt8])])
    func brokenStructureIsMalformed(_ what: String, _ bytes: [UInt8]) {
        #expect(self.arena.decodingError(Messages.getDeviceRequest, from: bytes)?.code == .malformed, "\(what)")
    }

    @Test func unknownFieldsAreSkipped() throws {
        let bytes = Wire.message { wire in
            wire.field(15, varint: .max)
            wire.field(2, text: "ABCD1234")
            wire.tag(16, wireType: 1)
            wire.raw([0, 1, 2, 3, 4, 5, 6, 7])
            wire.tag(63, wireType: 5)
            wire.raw([0, 1, 2, 3])
            wire.field(536_870_911, bytes: [0xFF, 0x00])
        }
        try self.arena.decode(Messages.getDeviceRequest, from: bytes) { request in
            #expect(request.pointee.device_serial.string == "ABCD1234")
        }
    }

    @Test func lastOfARepeatedScalarWins() throws {
        let bytes = Wire.message { wire in
            wire.field(2, text: "first")
            wire.field(2, text: "last")
        }
        try self.arena.decode(Messages.getDeviceRequest, from: bytes) { request in
            #expect(request.pointee.device_serial.string == "last")
        }
    }

    @Test func subMessageSentTwiceIsMalformed() {
        let bytes = Wire.message { wire in
            wire.field(2) { $0.field(4, text: "ABCD1234") }
            wire.field(2) { $0.field(5, text: "owner") }
        }
        let error = self.arena.decodingError(Messages.createDeviceRequest, from: bytes)
        #expect(error?.code == .malformed)
        #expect(error?.path == "device")
    }

    @Test(
        arguments: [
            [0x00], [0x41, 0x00], [0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x00, 0x48], [0xC3, 0xA9, 0x00],
            [0xFF], [0x80], [0xC3], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0xE9],
        ] as [[UInt8]]
    )
    func textThatIsNotUTF8WithoutNULIsRefusedByName(_ text: [UInt8]) {
        let bytes = Wire.message { wire in wire.field(2) { $0.field(5, bytes: text) } }
        let error = self.arena.decodingError(Messages.createDeviceRequest, from: bytes)
        #expect(error?.code == .invalidText)
        #expect(error?.path == "device.owner_ref")
    }

    @Test(arguments: [
        "", "A", "ABCDEFG", "ABCDEFGH", "ABCDEFGHI", "\u{1}\u{7F}", "é", "ABCDEFGé", "日本語のテキスト", "🦊🦊🦊",
        "\u{10FFFF}",
    ])
    func textPasses(_ text: String) throws {
        try self.arena.decode(Messages.device, from: Wire.message { $0.field(5, text: text) }) { device in
            #expect(device.pointee.owner_ref.string == text)
        }
    }

    @Test func pathCountsTheValuesOfItsOwnList() {
        let bytes = Wire.message { wire in
            wire.field(2, text: "1.2.3")
            wire.field(3, text: "owner")
            wire.field(2, text: "1.2.4")
            wire.field(99, varint: 1)
            wire.field(2, bytes: [0xFF])
        }
        #expect(self.arena.decodingError(Messages.listDevicesRequest, from: bytes)?.path == "release[2]")
    }

    @Test func pathGoesThroughListsOfMessages() {
        let bytes = Wire.message { wire in
            wire.field(3) { $0.field(1, text: "battery") }
            wire.field(3) { update in
                update.field(1, text: "colour")
                update.field(2) { $0.field(1, bytes: [0x62, 0x00]) }
            }
        }
        let error = self.arena.decodingError(Messages.updateDeviceAttributesRequest, from: bytes)
        #expect(error?.path == "attributes[1].value.string_value")
        #expect(error?.description.hasPrefix("attributes[1].value.string_value: The text") == true)
    }

    @Test func textOfMapEntriesIsChecked() {
        let bytes = Wire.message { wire in wire.field(3) { $0.field(2, bytes: [0xC3, 0x28]) } }
        #expect(self.arena.decodingError(Messages.googleRpcErrorInfo, from: bytes)?.path == "metadata[0].value")
    }

    @Test func bytesMayBeAnything() throws {
        let bytes = Wire.message { $0.field(3, bytes: [0x00, 0xFF]) }
        try self.arena.decode(Messages.ttrpcRequest, from: bytes) { request in
            #expect(Array(request.pointee.payload.bytes) == [0x00, 0xFF])
        }
    }

    @Test func depthIsLimited() throws {
        func nested(_ depth: Int) -> [UInt8] {
            (1..<depth).reduce([UInt8]()) { inner, _ in Wire.message { $0.field(4, bytes: inner) } }
        }
        try self.arena.decode(Node.type, from: nested(WireGuard.depthMax)) { node in
            var depth = 1
            var at = node
            while let next = at.pointee.only { (at, depth) = (next, depth + 1) }
            #expect(depth == WireGuard.depthMax)
        }
        let error = self.arena.decodingError(Node.type, from: nested(WireGuard.depthMax + 1))
        #expect(error?.code == .tooDeep)
        #expect(error?.path == Array(repeating: "only", count: 16).joined(separator: "."))
    }

    @Test func fieldCountIsLimited() {
        let arena = Arena(byteCountMax: 1 << 30)
        // Two bytes each: field 15, which is unknown.
        let field: [UInt8] = [0x78, 0x00]
        let most = [UInt8](repeatElement(field, count: WireGuard.fieldCountMax).joined())
        #expect(arena.decodingError(Messages.getDeviceRequest, from: most) == nil)
        #expect(arena.decodingError(Messages.getDeviceRequest, from: most + field)?.code == .tooManyFields)
        let packed = Wire.message { $0.field(2, bytes: Array(repeating: 0, count: WireGuard.fieldCountMax)) }
        #expect(arena.decodingError(Node.type, from: packed)?.code == .tooManyFields)
    }

    @Test func packedListsAreReadPackedAndNot() throws {
        let bytes = Wire.message { wire in
            wire.field(2, bytes: Wire.message { packed in for value in [0, 1, UInt64.max] { packed.varint(value) } })
            wire.field(2, varint: 300)
            wire.field(2, bytes: [])
            wire.field(3, bytes: [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F])
        }
        try self.arena.decode(Node.type, from: bytes) { node in
            let values = UnsafeBufferPointer(start: node.pointee.values, count: node.pointee.valuesCount)
            #expect(Array(values) == [0, 1, -1, 300])
            let numbers = UnsafeBufferPointer(start: node.pointee.numbers, count: node.pointee.numbersCount)
            #expect(numbers.count == 2)
            #expect(numbers.first == 1)
            #expect(numbers.last?.isNaN == true)
        }
    }

    @Test(
        arguments: [
            (2, [0x80], "values[0]"),
            (2, [0x01, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], "values[0]"),
            (3, [0, 0, 0, 0], "numbers[0]"),
        ] as [(UInt64, [UInt8], String)])
    func packedListThatEndsInAValueIsMalformed(_ number: UInt64, _ list: [UInt8], _ path: String) {
        let error = self.arena.decodingError(Node.type, from: Wire.message { $0.field(number, bytes: list) })
        #expect(error?.code == .malformed)
        #expect(error?.path == path)
    }
}
