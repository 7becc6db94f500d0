import DeviceModel
import DeviceQuery
import DeviceRegistry
import FoundationEssentials
import RollcallTesting
import Testing

@Suite struct RequestIDTests {
    private let creation = Mutation.createDevice(
        DeviceCreation(serial: "A1", ownerRef: "eve", hardwareVersion: "hw1"))

    @Test func repeatAnswersTheFirstOutcomeWithThePresentStateAlsoAfterARestart() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        let first = try await fixture.device(self.creation, identity: identity(id))
        let again = try await fixture.device(self.creation, identity: identity(id))
        #expect(again == first)
        try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1", ownerRef: "bob")))
        let restarted = try fixture.restarted()
        let later = try await restarted.device(self.creation, identity: identity(id))
        #expect(later.id == first.id)
        #expect(later.ownerRef == "bob")
        #expect(restarted.registry.revision.rawValue == 2)
    }

    @Test func sameIDWithAnotherBodyIsInvalid() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        try await fixture.device(self.creation, identity: identity(id))
        let error = await #expect(throws: RegistryError.self) {
            try await fixture.device(self.creation, identity: identity(id, digest: 2))
        }
        #expect(error?.reason == .requestIDReused)
        #expect(error?.violations.map(\.field) == ["request_id"])
    }

    @Test func anotherCallersSameIDIsAnotherRequest() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        try await fixture.device(self.creation, identity: identity(id))
        let error = await #expect(throws: RegistryError.self) {
            try await fixture.device(self.creation, identity: identity(id, user: 7))
        }
        #expect(error?.reason == .deviceExists)
    }

    @Test func onlySuccessesAreRemembered() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        let other = try await fixture.create("A1")
        await #expect(throws: RegistryError.self) { try await fixture.device(self.creation, identity: identity(id)) }
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A1")))
        let device = try await fixture.device(self.creation, identity: identity(id))
        #expect(device.id != other.id)
    }

    @Test func idIsForgottenAfterADay() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        try await fixture.device(self.creation, identity: identity(id))
        fixture.clock.advance(microseconds: Limits().requestIDAgeMicrosecondsMax + 1)
        let error = await #expect(throws: RegistryError.self) {
            try await fixture.device(self.creation, identity: identity(id))
        }
        #expect(error?.reason == .deviceExists)
    }

    @Test func onlyTheNewestIDsAreRemembered() async throws {
        var limits = Limits()
        limits.requestIDCountMax = 2
        let fixture = try RegistryFixture(limits: limits)
        let ids = (0..<3).map { _ in UUID() }
        for (index, id) in ids.enumerated() {
            let creation = DeviceCreation(serial: "A\(index)", ownerRef: "o", hardwareVersion: "h")
            try await fixture.device(.createDevice(creation), identity: identity(id))
        }
        func again(_ index: Int) async throws -> Device {
            let creation = DeviceCreation(serial: "A\(index)", ownerRef: "o", hardwareVersion: "h")
            return try await fixture.device(.createDevice(creation), identity: identity(ids[index]))
        }
        #expect(try await again(2).id == 3)
        #expect(try await again(1).id == 2)
        await #expect(throws: RegistryError.self) { try await again(0) }
    }

    @Test func repeatOfACreationWhoseDeviceIsGoneSaysSo() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        try await fixture.device(self.creation, identity: identity(id))
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A1")))
        let error = await #expect(throws: RegistryError.self) {
            try await fixture.device(self.creation, identity: identity(id))
        }
        #expect(error?.code == .notFound)
        #expect(fixture.visible("A1") == nil)
    }
}
