// Every input that was kept, fed again: what was found once is not broken twice.

import FuzzTargets
import Foundation
import Testing

@Suite struct CorpusTests {
    /// A folder for each target, below `Tests`.
    private static let corpora = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpora")

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyInputKeepsThePromises(name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.corpora.appending(path: name), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let input = try Array(Data(contentsOf: file))
            await #expect(throws: Never.self, "\(name)/\(file.lastPathComponent)") { try await target.feed(input) }
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everySeedKeepsThePromisesAndFits(name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let seeds = try target.seeds()
        #expect(Set(seeds.map(\.name)).count == seeds.count)
        for seed in seeds {
            #expect(seed.bytes.count <= target.byteCountMax, "\(name)/\(seed.name)")
            await #expect(throws: Never.self, "\(name)/\(seed.name)") { try await target.feed(seed.bytes) }
        }
    }
}
