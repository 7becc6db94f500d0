// What a store and its projects hold at most, each met by name.

import DeviceModel
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct ProjectLimitTests {
    private static func fixture(_ change: (inout Limits) -> Void) throws -> RegistryFixture {
        var limits = Limits()
        change(&limits)
        return try RegistryFixture(limits: limits)
    }

    /// Expects that a mutation is refused for the limit of this name, and that nothing comes of it.
    private static func expectRefusal(
        _ name: String, _ mutation: Mutation, project: String = "default", _ fixture: RegistryFixture,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let revision = fixture.registry.revision
        for validateOnly in [true, false] {
            let error = await #expect(throws: RegistryError.self, sourceLocation: sourceLocation) {
                try await fixture.perform(mutation, project: project, validateOnly: validateOnly)
            }
            #expect(
                error?.code == .resourceExhausted && error?.reason == .limitExceeded, sourceLocation: sourceLocation)
            #expect(
                error?.message.contains("(\(name))") == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        }
        #expect(fixture.registry.revision == revision, sourceLocation: sourceLocation)
    }

    @Test func projectsOfAStore() async throws {
        let fixture = try Self.fixture { $0.projectCountMax = 2 }
        try await fixture.perform(.createProject(name: "Lab"), project: "lab")
        try await Self.expectRefusal("projects", .createProject(name: "Shop"), project: "shop", fixture)
        try await fixture.perform(.deleteProject(allowMissing: false), project: "lab")
        try await fixture.perform(.createProject(name: "Shop"), project: "shop")
    }

    @Test func cohortsOfAProject() async throws {
        let fixture = try Self.fixture { $0.cohortCountMaxPerProject = 2 }
        try await fixture.perform(.createCohort(slug: "beta", name: "Beta"))
        try await Self.expectRefusal("cohorts_per_project", .createCohort(slug: "late", name: "Late"), fixture)
        // Each project has as many.
        try await fixture.perform(.createProject(name: "Lab"), project: "lab")
        try await fixture.perform(.createCohort(slug: "late", name: "Late"), project: "lab")
        try await fixture.perform(.deleteCohort(slug: "beta", allowMissing: false))
        try await fixture.perform(.createCohort(slug: "late", name: "Late"))
    }

    @Test func releasesOfAProject() async throws {
        let fixture = try Self.fixture { $0.releaseCountMaxPerProject = 2 }
        func checkIn(_ serial: String, _ version: String) -> Mutation {
            .checkIn(CheckIn(serial: serial, release: ReleaseName(version: version, revision: "")))
        }
        for serial in ["A", "B"] {
            try await fixture.create(serial)
            try await fixture.perform(checkIn(serial, "version \(serial)"))
        }
        try await Self.expectRefusal("releases_per_project", checkIn("A", "version C"), fixture)
        #expect(fixture.visible("A")?.release == "version A")
        // A release that no device has is none.
        try await fixture.perform(checkIn("A", "version B"))
        try await fixture.perform(checkIn("A", "version C"))
        #expect(fixture.visible("A")?.release == "version C")
    }

    @Test func attributeKeysOfADeviceAndOfAProject() async throws {
        let fixture = try Self.fixture {
            $0.attributeKeyCountMaxPerDevice = 2
            $0.attributeKeyCountMaxPerProject = 3
        }
        func attributes(_ serial: String, _ keys: String...) -> Mutation {
            .updateAttributes(
                AttributesUpdate(
                    serial: serial, updates: keys.map { .init(key: $0, value: .int(1)) }, mode: .merge))
        }
        for serial in ["A", "B"] { try await fixture.create(serial) }
        try await Self.expectRefusal("attribute_keys_per_device", attributes("A", "k1", "k2", "k3"), fixture)
        try await fixture.perform(attributes("A", "k1", "k2"))
        try await fixture.perform(attributes("B", "k3"))
        try await Self.expectRefusal("attribute_keys_per_project", attributes("B", "k4"), fixture)
        try await fixture.perform(attributes("B", "k1"))
        #expect(fixture.visible("B")?.attributes == ["k1": .int(1), "k3": .int(1)])
    }
}
