import CRollcallProto
import Descriptors
import DynamicMessage
import JSONText
import ProtobufC
import RollcallTesting
import Testing

/// Bytes to JSON and back, and against the decoder of the daemon.
@Suite struct RoundTripTests {
    private let pool = DescriptorSample.pool
    private var codec: MessageCodec { MessageCodec(pool: self.pool) }

    @Test(arguments: 0..<4 as Range<UInt64>) func randomMessagesOfEveryTypeComeBackByteForByte(seed: UInt64) throws {
        var generator = MessageGenerator(pool: self.pool, random: SeededGenerator(seed: seed))
        var types: [MessageDescriptor] = []
        for name in self.pool.symbolNames.sorted() {
            if let type = self.pool.message(named: name), !type.isMapEntry {
                types.append(type)
            }
        }
        #expect(types.count > 60)
        for type in types {
            for _ in 0..<(type.fullName == DescriptorSample.everything ? 12 : 2) {
                let bytes = generator.message(type)
                let json = try self.codec.json(of: bytes[...], as: type)
                for style in [JSON.Style.line, .indented] {
                    let node = try JSONReader.read(json.text(style).utf8)
                    let back = try self.codec.encode(node, as: type)
                    #expect(back == bytes, "seed \(seed), \(type.fullName): \(json.text(.line))")
                }
            }
        }
    }

    @Test func everyWellKnownTypeOfTheSetHasItsOwnJSON() throws {
        // A new one would be written by its fields, which is not what the mapping says.
        let names = DescriptorPool.embedded.files.filter { $0.package == "google.protobuf" }.flatMap(\.messages)
            .map(\.fullName).sorted()
        let known = ["Any", "Duration", "FieldMask", "Timestamp"].map { "google.protobuf.\($0)" }
        #expect(names == known)
    }

    @Test func theDecoderOfTheDaemonReadsWhatIsWritten() throws {
        let type = try #require(self.pool.message(named: "rollcall.v1.CheckInRequest"))
        let json = """
            {"project": "p", "deviceSerial": "A-1", "time": "2019-01-19T05:01:13.25Z", "create_missing": true,
             "release": {"id": "7", "version": "1.2.3"},
             "attributes": [{"string_key": "battery", "value": {"int_value": "80"}}, {"stringKey": "note",
                "value": {"stringValue": ""}}]}
            """
        let bytes = try self.codec.encode(try JSONReader.read(json.utf8), as: type)
        try bytes.withUnsafeBytes { bytes in
            try Arena.current.decode(Messages.checkInRequest, from: bytes) { message in
                let request = message.pointee
                #expect(request.project.string == "p")
                #expect(request.device_serial.string == "A-1")
                #expect(request.time?.pointee.seconds == 1_547_874_073)
                #expect(request.time?.pointee.nanos == 250_000_000)
                #expect(request.create_missing == 1)
                #expect(request.release?.pointee.id == 7)
                #expect(request.release?.pointee.version.string == "1.2.3")
                #expect(request.n_attributes == 2)
                #expect(request.attributes[0]?.pointee.value?.pointee.int_value == 80)
                let note = request.attributes[1]?.pointee.value?.pointee
                #expect(note?.kind_case == ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE)
            }
        }
    }

    @Test func bytesThatAreNoMessageAreRefused() throws {
        let type = try #require(self.pool.message(named: DescriptorSample.everything))
        let texts: [[UInt8]] = [
            // A text as a varint, a text that is no UTF-8, a cut packed list, a message cut short.
            [0x48, 1], [0x4A, 1, 0xFF], [0xAA, 0x06, 1, 0x80], [0x5A, 9, 0],
            // A timestamp before year 1, a duration of mixed signs, a path that camelCase would lose.
            [0x8A, 0x02, 11, 0x08] + Array(repeating: 0x80, count: 9) + [1],
            [0xFA, 0x01, 13, 0x08, 1, 0x10] + Array(repeating: 0xFF, count: 9) + [1], [0x82, 0x02, 3, 0x0A, 1, 0x41],
        ]
        for bytes in texts {
            #expect(throws: MessageError.self, "\(bytes)") { try self.codec.json(of: bytes[...], as: type) }
        }
    }

    @Test func nestingOnTheWireIsBounded() throws {
        let type = try #require(self.pool.message(named: DescriptorSample.everything))
        func nested(_ depth: Int) -> [UInt8] {
            (1..<depth).reduce(into: []) { bytes, _ in
                var writer = WireWriter()
                writer.append(11, bytes: bytes)
                bytes = writer.bytes
            }
        }
        _ = try self.codec.json(of: nested(MessageCodec.depthMax)[...], as: type)
        #expect(throws: MessageError.self) {
            try self.codec.json(of: nested(MessageCodec.depthMax + 1)[...], as: type)
        }
    }
}
