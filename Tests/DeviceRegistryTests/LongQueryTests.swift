// Queries in slices beside the writer, and indexes that are built on demand.

import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Synchronization
import Testing

@Suite struct LongQueryTests {
    private static func creation(_ number: Int) -> Mutation {
        .createDevice(
            DeviceCreation(serial: "S-\(number)", ownerRef: "o\(number % 7)", hardwareVersion: "h\(number % 3)"))
    }

    private static var everything: ListQuery {
        var query = ListQuery()
        query.sort = [SortKey(.deviceSerial)]
        query.pageSize = 1_000
        return query
    }

    /// The serials of a list that is answered in slices.
    private func serials(_ query: ListQuery, of registry: Registry) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            registry.answerInSlices(
                begin: { index in
                    guard let project = index.project(slug: "default") else { throw RegistryError.projectNotFound("") }
                    return try LongQuery(query, in: project.id, of: index, now: registry.now())
                },
                isWanted: { true },
                advance: { (query: LongQuery, index: borrowing RegistryIndex) throws -> [String]? in
                    var serials: [String] = []
                    let progress = query.advance(
                        index, wordCount: 1,
                        each: { device in
                            serials.append(String(decoding: device.record.serial, as: UTF8.self))
                            return true
                        },
                        eachGroup: { _ in false })
                    guard case .list = progress else { return nil }
                    return serials
                },
                completion: { continuation.resume(with: $0) }
            )
        }
    }

    @Test func manyLongQueriesAndTheWriterGoOnSideBySide() async throws {
        let fixture = try RegistryFixture()
        for number in 0..<300 { try await fixture.device(Self.creation(number)) }
        let query = Self.everything
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<12 {
                group.addTask { [registry = fixture.registry] in try await self.serials(query, of: registry) }
            }
            for number in 300..<400 { try await fixture.device(Self.creation(number)) }
            for try await serials in group {
                // Some state between the first and the last, and all of that.
                #expect(serials == (0..<serials.count).map { "S-\($0)" }.sorted() && serials.count >= 300)
            }
        }
        let serials = try await self.serials(query, of: fixture.registry)
        #expect(serials.count == 400)
    }

    @Test func aQueryThatNobodyWaitsForIsForgottenUnanswered() async throws {
        let fixture = try RegistryFixture()
        for number in 0..<200 { try await fixture.device(Self.creation(number)) }
        let sliceCount = Atomic<Int>(0)
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
            fixture.registry.answerInSlices(
                begin: { index in
                    guard let project = index.project(slug: "default") else { throw RegistryError.projectNotFound("") }
                    return try LongQuery(ListQuery(), in: project.id, of: index, now: .epoch)
                },
                isWanted: {
                    // Until after the first slice.
                    guard sliceCount.load(ordering: .relaxed) > 0 else { return true }
                    ended.resume()
                    return false
                },
                advance: { (query: LongQuery, index: borrowing RegistryIndex) throws -> Int? in
                    sliceCount.add(1, ordering: .relaxed)
                    _ = query.advance(index, wordCount: 1, each: { _ in true }, eachGroup: { _ in true })
                    return nil
                },
                completion: { _ in Issue.record("nobody waits for an answer") }
            )
        }
        #expect(try await self.serials(ListQuery(), of: fixture.registry).count == 100)
        #expect(sliceCount.load(ordering: .relaxed) == 1)
    }

    @Test func anIndexIsBuiltBetweenMutationsAndThenUsed() async throws {
        let fixture = try RegistryFixture()
        for number in 0..<3_000 { try await fixture.device(Self.creation(number)) }
        let project = try #require(fixture.registry.read { $0.project(slug: "default") })
        let wanted = try #require(fixture.registry.read { $0.index(by: .deviceSerial, in: project.id) })
        fixture.registry.build(wanted)
        var query = ListQuery()
        query.sort = [SortKey(.deviceSerial, isDescending: true)]
        query.explains = true
        // The writer takes steps and mutations in turns, and the last of these comes after the last of those.
        for number in 3_000..<3_020 { try await fixture.device(Self.creation(number)) }
        let page = try fixture.registry.read { index in
            try index.list(query, in: project.id, now: .epoch) { _ in true }
        }
        #expect(page.explanation?.plan == .orderedWalk)
        try fixture.registry.read { try $0.checkInvariants() }
    }
}
