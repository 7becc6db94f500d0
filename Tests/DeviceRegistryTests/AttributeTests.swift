import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct AttributeTests {
    private func update(
        _ fixture: RegistryFixture, _ assignments: [AttributeUpdate], mode: AttributesUpdate.Mode = .merge
    ) async throws -> [String: AttributeValue] {
        let outcome = try await fixture.perform(
            .updateAttributes(AttributesUpdate(serial: "A1", updates: assignments, mode: mode)))
        guard case .attributes(let attributes, _) = outcome else { throw UnexpectedOutcome(outcome: outcome) }
        return Dictionary(
            attributes.map { ($0.customMetric.stringKey, $0.state.value) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func mergeKeepsOtherKeysAndReplaceUnsetsThem() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        var all = try await self.update(
            fixture, [.init(key: "a", value: .int(1)), .init(key: "b", value: .bool(true))])
        #expect(all == ["a": .int(1), "b": .bool(true)])
        all = try await self.update(fixture, [.init(key: "A", value: .int(2)), .init(key: "c", value: .string("x"))])
        #expect(all == ["a": .int(2), "b": .bool(true), "c": .string("x")])
        all = try await self.update(fixture, [.init(key: "c", value: nil)])
        #expect(all == ["a": .int(2), "b": .bool(true)])
        all = try await self.update(fixture, [.init(key: "b", value: .bool(false))], mode: .replace)
        #expect(all == ["b": .bool(false)])
        #expect(fixture.visible("A1")?.attributes == all)
    }

    @Test func oneBadAssignmentChangesNothingAndEveryBadOneIsNamed() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        _ = try await self.update(fixture, [.init(key: "n", value: .int(1)), .init(key: "s", value: .string("x"))])
        let before = fixture.visible("A1")
        let error = await #expect(throws: RegistryError.self) {
            try await self.update(
                fixture,
                [
                    .init(key: "n", value: .int(5)), .init(key: "s", value: .int(5)),
                    .init(key: "new", value: .bool(true)), .init(key: "m", value: .int(6), time: .max),
                ])
        }
        #expect(error?.violations.map(\.field) == ["attributes[1].value", "attributes[3].time"])
        #expect(fixture.visible("A1") == before)
        // The key of the refused call was not created: another type may still claim it.
        #expect(try await self.update(fixture, [.init(key: "new", value: .string("y"))])["new"] == .string("y"))
    }

    @Test func typeIsFixedForTheProjectButAFloatKeyTakesAnInt() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        _ = try await self.update(fixture, [.init(key: "temp", value: .float(1.5))])
        #expect(try await self.update(fixture, [.init(key: "temp", value: .int(2))])["temp"] == .float(2))
        let error = await #expect(throws: RegistryError.self) {
            try await self.update(fixture, [.init(key: "temp", value: .string("hot"))])
        }
        #expect(error?.reason == .attributeTypeMismatch)
        #expect(error?.message.contains("FLOAT") == true)
        #expect(error?.message.contains("STRING") == true)
        #expect(error?.message.contains("'temp'") == true)
    }

    @Test func olderValueIsIgnored() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        let now = fixture.clock.now
        _ = try await self.update(fixture, [.init(key: "a", value: .int(1), time: now)])
        let revision = fixture.registry.revision
        let older = now.advanced(byMicroseconds: -1)
        #expect(try await self.update(fixture, [.init(key: "a", value: .int(2), time: older)])["a"] == .int(1))
        #expect(try await self.update(fixture, [.init(key: "a", value: nil, time: older)])["a"] == .int(1))
        #expect(fixture.registry.revision == revision)
        #expect(try await self.update(fixture, [.init(key: "a", value: .int(3), time: now)])["a"] == .int(3))
    }

    @Test func deletingADeviceTakesItsAttributesWithIt() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        _ = try await self.update(fixture, [.init(key: "a", value: .int(1))])
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A1")))
        try await fixture.create("A1")
        #expect(fixture.visible("A1")?.attributes.isEmpty == true)
        #expect(try fixture.restarted().visible("A1")?.attributes.isEmpty == true)
    }
}
