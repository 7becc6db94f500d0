// Reading and writing attributes.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct AttributeCallTests {
    @Test func valuesOfEveryTypeComeBackInTheOrderOfTheirKeys() async throws {
        let service = try ServiceHarness()
        let created = try await service.create("A-1")
        let updated = try await service.setAttributes(
            "A-1",
            [
                AttributeUpdate(key: "label", value: .string("né")),
                AttributeUpdate(key: "Battery", value: .float(20.5)),
                AttributeUpdate(key: "count", value: .int(-3)),
                AttributeUpdate(key: "armed", value: .bool(true)),
            ])
        #expect(updated.attributes.map(\.customMetric.stringKey) == ["armed", "Battery", "count", "label"])
        #expect(updated.attributes.map(\.state.value) == [.bool(true), .float(20.5), .int(-3), .string("né")])
        #expect(updated.attributes.allSatisfy { $0.state.time == service.clock.now })
        #expect(updated.etag != created.etag)
        #expect(try await service.attributes("A-1") == updated)
    }

    @Test(
        arguments: [
            ("", ["a.b", "a.c", "Battery"]), ("*", ["a.b", "a.c", "Battery"]), ("a.*", ["a.b", "a.c"]),
            ("BATT*", ["Battery"]),
            ("*t*y", ["Battery"]), ("a.b", ["a.b"]), ("a", []), ("a?b", []),
        ] as [(String, [String])])
    func aPatternSelectsWholeKeysWithoutRegardToCase(_ pattern: String, _ keys: [String]) async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let all = try await service.setAttributes(
            "A-1", ["a.b", "a.c", "Battery"].map { AttributeUpdate(key: $0, value: .int(1)) })
        let found = try await service.attributes("A-1", pattern: pattern)
        #expect(found.attributes.map(\.customMetric.stringKey) == keys)
        #expect(found.etag == all.etag)
    }

    @Test func mergeKeepsReplaceUnsetsAndAValueLeftOutUnsets() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        try await service.setAttributes("A-1", ["a", "b", "c"].map { AttributeUpdate(key: $0, value: .int(1)) })
        func keys(_ attributes: DeviceAttributes) -> [String] { attributes.attributes.map(\.customMetric.stringKey) }
        let merged = try await service.setAttributes("A-1", [AttributeUpdate(key: "A", value: nil)])
        #expect(keys(merged) == ["b", "c"])
        let replaced = try await service.setAttributes(
            "A-1", [AttributeUpdate(key: "c", value: .int(2))], replaces: true)
        #expect(keys(replaced) == ["c"])
        #expect(replaced.attributes.map(\.state.value) == [.int(2)])
        #expect(keys(try await service.setAttributes("A-1", [], replaces: true)).isEmpty)
    }

    @Test func anotherTypeIsRefusedAndNothingIsWritten() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let before = try await service.setAttributes("A-1", [AttributeUpdate(key: "count", value: .int(1))])
        let refusal = try await service.refusal("UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            $0.device_serial = $1.text("A-1")
            $0.attributes = $1.messages([
                AttributeUpdate(key: "new", value: .int(1)), AttributeUpdate(key: "COUNT", value: .string("one")),
            ])
            $0.n_attributes = 2
        }
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.reason == "ATTRIBUTE_TYPE_MISMATCH")
        #expect(refusal.fields.count == 1)
        #expect(refusal.fields.first?.hasPrefix("attributes[1].") == true)
        for word in ["count", "INT", "STRING"] {
            #expect(refusal.message.contains(word))
        }
        #expect(try await service.attributes("A-1") == before)
    }

    @Test func everyBadFieldOfAnUpdateIsNamedAtOnce() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            $0.mode = Rollcall__V1__UpdateMode(rawValue: 5)
            $0.attributes = $1.messages([
                AttributeUpdate(key: "", value: .int(1)), AttributeUpdate(key: "nan", value: .float(.nan)),
                AttributeUpdate(key: "NAN", value: nil),
            ])
            $0.n_attributes = 3
        }
        #expect(
            Set(refusal.fields) == [
                "device_serial", "mode", "attributes[0].string_key", "attributes[1].value", "attributes[2].string_key",
            ])
    }

    @Test func anUpdateOfNothingIsRefusedUnlessItReplaces() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let refusal = try await service.refusal("UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(refusal.fields == ["attributes"])
    }

    @Test func aStaleEtagAborts() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let refusal = try await service.refusal("UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            $0.device_serial = $1.text("A-1")
            $0.attributes = $1.messages([AttributeUpdate(key: "a", value: .int(1))])
            $0.n_attributes = 1
            $0.etag = $1.text("stale")
        }
        #expect(refusal.reason == "ETAG_STALE")
    }

    @Test func theLimitsOfADeviceAndAProjectAreKept() async throws {
        let service = try ServiceHarness { $0.attributeKeyCountMaxPerDevice = 2 }
        try await service.create("A-1")
        let refusal = try await service.refusal("UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            $0.device_serial = $1.text("A-1")
            $0.attributes = $1.messages(["a", "b", "c"].map { AttributeUpdate(key: $0, value: .int(1)) })
            $0.n_attributes = 3
        }
        #expect(refusal.code == .resourceExhausted)
        #expect(refusal.reason == "LIMIT_EXCEEDED")
    }

    @Test func attributesOfAnUnknownDeviceAreNotFound() async throws {
        let service = try ServiceHarness()
        let missing = try await service.refusal("GetDeviceAttributes", Messages.getDeviceAttributesRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(missing.reason == "DEVICE_NOT_FOUND")
        let bad = try await service.refusal("GetDeviceAttributes", Messages.getDeviceAttributesRequest) {
            $0.key_pattern = $1.text(String(repeating: "*", count: 258))
        }
        #expect(bad.fields == ["device_serial", "key_pattern"])
    }
}
