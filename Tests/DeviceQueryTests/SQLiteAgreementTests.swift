// Lists against a database that others wrote: the same rows in the same order.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct SQLiteAgreementTests {
    @Test(arguments: [(8_000, 0), (8_001, 12), (8_002, 150), (8_003, 900)] as [(UInt64, Int)])
    func listsAgreeWithSQLite(seed: UInt64, deviceCount: Int) async throws {
        let fixture = IndexFixture(seed: seed, deviceCount: deviceCount)
        fixture.mutate(deviceCount / 8)
        let (oracle, now) = (fixture.generator.oracle, fixture.generator.now)
        let serials = Dictionary(uniqueKeysWithValues: oracle.entries.map { ($0.id, $0.serial) })
        var questions: [(query: ListQuery, tree: FilterExpression?)] = []
        for _ in 0..<300 {
            let sample = fixture.generator.filter()
            var query = fixture.generator.list(sample)
            query.position = .first
            query.pageSize = 1_000
            questions.append((query, sample.tree))
        }
        let statements = questions.map { SQLiteQuery($0.query, $0.tree, keys: oracle.attributeKeys, now: now).text }
        let answers = try await SQLiteFleet(oracle).answers(statements)
        try #require(answers.count == questions.count)
        #expect(answers.contains { $0.count > 1 } || deviceCount < 2)
        for (index, (question, answer)) in zip(questions, answers).enumerated() {
            let (query, tree) = question
            let judged = oracle.list(query, tree: tree, now: now).map(\.serial)
            #expect(judged == answer, "the oracle, seed \(seed), query \(index): \(statements[index])")
            let found = try fixture.page(query).ids.compactMap { serials[$0] }
            #expect(found == answer, "seed \(seed), query \(index), \(query): \(statements[index])")
        }
    }
}
