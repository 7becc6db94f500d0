import CRollcallProto
import ProtobufC
import RollcallTesting
import Testing

/// Bytes near to valid ones: never a crash, never memory kept, and what passes is whole.
@Suite struct HostileBytesTests {
    private let arena = Arena()

    /// Decodes as each of several types; what passes must pack, and pass again in the same bytes.
    private func probe(_ bytes: [UInt8], _ context: String) {
        self.probe(bytes, as: Messages.device, context)
        self.probe(bytes, as: Messages.listDevicesRequest, context)
        self.probe(bytes, as: Messages.updateDeviceAttributesRequest, context)
        self.probe(bytes, as: Messages.googleRpcErrorInfo, context)
        self.probe(bytes, as: Messages.ttrpcRequest, context)
        self.probe(bytes, as: Node.type, context)
    }

    private func probe<Message>(_ bytes: [UInt8], as type: MessageType<Message>, _ context: String) {
        do {
            let packed = try self.arena.decode(type, from: bytes) { Arena.bytes(of: $0) }
            let again = try self.arena.decode(type, from: packed) { Arena.bytes(of: $0) }
            #expect(again == packed, "\(context): \(type.name) of \(bytes)")
        } catch {
            #expect(error is DecodingError, "\(context)")
            // The guard is there to refuse all that protobuf-c would, with a better word.
            let isLeftToC = (error as? DecodingError)?.message == "The bytes are not a message of the expected type."
            #expect(!isLeftToC, "\(context): \(type.name) of \(bytes)")
        }
        #expect(self.arena.byteCount == 0, "\(context)")
    }

    private var corpus: [[UInt8]] {
        let node = Wire.message { wire in
            wire.field(1) { child in
                child.field(2, bytes: [1, 2, 0xFF, 0x01])
                child.field(4) { $0.field(3, bytes: [0, 0, 0, 0, 0, 0, 0xF0, 0x7F]) }
            }
            wire.field(2, varint: 5)
        }
        let list = Wire.message { wire in
            for release in ["1.2.3", "1.2.4"] { wire.field(2, text: release) }
            wire.field(7) { $0.field(1, varint: 1_547_874_073) }
            wire.field(9, varint: 2)
            wire.field(11, text: "-last_seen")
            wire.field(12, varint: 100)
        }
        let update = Wire.message { wire in
            wire.field(2, text: "ABCD1234")
            wire.field(3) { update in
                update.field(1, text: "Température")
                update.field(2) { $0.field(2, varint: .max) }
            }
        }
        let info = Wire.message { wire in
            wire.field(1, text: "LIMIT_EXCEEDED")
            wire.field(3) { entry in
                entry.field(1, text: "limit")
                entry.field(2, text: "message.bytes")
            }
        }
        let envelope = Wire.message { wire in
            wire.field(1, text: "rollcall.v1.Devices")
            wire.field(2, text: "GetDevice")
            wire.field(3, bytes: update)
            wire.field(4, varint: 1_000_000_000)
            wire.field(5) { entry in entry.field(1, text: "k") }
        }
        return [self.arena.bytes { $0.makeDevice() }, node, list, update, info, envelope]
    }

    @Test func everyPrefixIsAMessageOrAnError() {
        for (index, bytes) in self.corpus.enumerated() {
            for count in 0...bytes.count {
                self.probe(Array(bytes.prefix(count)), "prefix \(count) of message \(index)")
            }
        }
    }

    @Test func mutationsAreMessagesOrErrors() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let corpus = self.corpus
        for round in 0..<10_000 {
            var bytes = corpus[round % corpus.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) { Self.mutate(&bytes, corpus, using: &generator) }
            self.probe(bytes, "seed \(seed), round \(round)")
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ corpus: [[UInt8]], using generator: inout SeededGenerator) {
        let index = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0 where index < bytes.count: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1 where index < bytes.count: bytes[index] = [0x00, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
        case 2 where index < bytes.count: bytes.remove(at: index)
        case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: index)
        case 4: bytes.removeSubrange(index...)
        default: bytes.insert(contentsOf: corpus.randomElement(using: &generator) ?? [], at: index)
        }
    }
}
