import ArgumentParser
import DeviceModel
import Testing

@testable import rollcall

@Suite struct PageOptionsTests {
    private static let cohorts = (1...5).map { Cohort(id: $0, name: "n", slug: "c\($0)", deviceCount: 0) }

    /// Runs `cohort list` with `words` against five cohorts, and tells how it asked.
    private static func run(
        _ words: [String], _ format: OutputFormat = .table
    ) async throws -> (data: String, words: String, asked: [String]) {
        let command = try #require(try RollcallCommand.parseAsRoot(["cohort", "list"] + words) as? CohortList)
        var asked: [String] = []
        let (data, said) = try await printed(format) { printer in
            try await command.pages.show("cohorts", as: .cohort, to: printer) { position, itemCount, includesTotal in
                asked.append("\(position) \(itemCount) \(includesTotal)")
                let start =
                    switch position {
                    case .token(let token): Int(token) ?? 0
                    case .number(let number): (Int(number) - 1) * itemCount
                    }
                let items = Self.cohorts.dropFirst(start).prefix(itemCount)
                let next = start + items.count
                return Page(
                    items: Array(items),
                    nextPageToken: next < Self.cohorts.count ? "\(next)" : "",
                    totalCount: includesTotal ? 5 : 0
                )
            }
        }
        return (data, said, asked)
    }

    @Test func onePageSaysHowToSeeTheRest() async throws {
        let result = try await Self.run(["--page-size", "2"])
        #expect(result.asked == ["token(\"\") 2 false"])
        #expect(result.data.split(separator: "\n").count == 3)
        #expect(result.words == "There are more: --all, or --page-token 2\n")
    }

    @Test func allWalksByTokenAndCountsOnce() async throws {
        let result = try await Self.run(["--all", "--page-size", "2", "--total"])
        #expect(result.asked == ["token(\"\") 2 true", "token(\"2\") 2 false", "token(\"4\") 2 false"])
        #expect(result.data.split(separator: "\n").count == 6)
        #expect(result.words == "5 of 5 cohorts.\n")
    }

    @Test func allTakesTheLargestPagesUnlessToldOtherwise() async throws {
        #expect(try await Self.run(["--all"]).asked == ["token(\"\") 1000 false"])
        #expect(try await Self.run(["--page-size", "5000"]).asked == ["token(\"\") 1000 false"])
    }

    @Test func numberedPageCountsThePages() async throws {
        let result = try await Self.run(["--page", "3", "--page-size", "2"], .json)
        #expect(result.asked == ["number(3) 2 true"])
        #expect(
            result.data.contains(
                """
                "paging": {"item_count": 1, "page": 3, "page_count": 3, "per_page": 2, "total_count": 5, "next_page_token": null}
                """
            )
        )
        #expect(result.words.isEmpty)
    }

    @Test func tokenContinuesWhereItPoints() async throws {
        let result = try await Self.run(["--page-token", "4"])
        #expect(result.asked == ["token(\"4\") 100 false"])
        #expect(result.words.isEmpty)
    }

    @Test func nothingFoundIsSaidInWords() async throws {
        let result = try await Self.run(["--page", "9"])
        #expect(result.words == "No cohorts.\n")
    }
}
