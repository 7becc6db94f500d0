// How an answer was found, in each format.

internal import DeviceModel
internal import JSONText
internal import RollcallClient

extension Printer {
    /// Writes an explanation that was asked for.
    ///
    /// - Throws: ``RollcallError`` where a server that does not know of explanations gave none, or ``OutputError``.
    func explanation(_ explanation: QueryExplanation?) throws {
        guard let explanation else {
            throw RollcallError(.unimplemented, "The server is too old to explain how it answers.")
        }
        try self.one(explanation, as: .explanation)
    }
}

extension Layout<QueryExplanation> {
    static let explanation = Layout(
        json: { explanation in
            .object([
                ("plan", .string(explanation.plan.rawValue)),
                ("steps", .array(explanation.steps.map(JSON.string))),
                ("estimated_candidate_count", .int(explanation.estimatedCandidateCount)),
                ("estimated_match_count", .int(explanation.estimatedMatchCount)),
                ("candidate_count", .int(explanation.candidateCount)),
                ("match_count", .int(explanation.matchCount)),
                ("estimated_nanoseconds", .int(explanation.estimatedNanoseconds)),
                ("nanoseconds", .int(explanation.elapsedNanoseconds)),
                ("slice_count", .int(explanation.sliceCount)),
            ])
        },
        columns: Self.explanationFields,
        fields: Self.explanationFields,
        details: { explanation in
            func figures(_ actual: some Any, _ expected: some Any) -> String { "\(actual) (\(expected) expected)" }
            let times = (Self.span(explanation.elapsedNanoseconds), Self.span(explanation.estimatedNanoseconds))
            return [("plan", explanation.plan.rawValue)]
                + explanation.steps.enumerated().map { ("step \($0 + 1)", $1) }
                + [
                    ("candidates", figures(explanation.candidateCount, explanation.estimatedCandidateCount)),
                    ("matches", figures(explanation.matchCount, explanation.estimatedMatchCount)),
                    ("time", figures(times.0, times.1)),
                    ("slices", String(explanation.sliceCount)),
                ]
        }
    )

    private static let explanationFields: [Column<QueryExplanation>] = [
        Column("plan") { $0.plan.rawValue },
        Column("steps") { $0.steps.joined(separator: "; ") },
        Column("estimated_candidate_count", isNumber: true) { String($0.estimatedCandidateCount) },
        Column("estimated_match_count", isNumber: true) { String($0.estimatedMatchCount) },
        Column("candidate_count", isNumber: true) { String($0.candidateCount) },
        Column("match_count", isNumber: true) { String($0.matchCount) },
        Column("estimated_nanoseconds", isNumber: true) { String($0.estimatedNanoseconds) },
        Column("nanoseconds", isNumber: true) { String($0.elapsedNanoseconds) },
        Column("slice_count", isNumber: true) { String($0.sliceCount) },
    ]

    /// A span in the unit in which it takes one to three digits before the point, and one after: `850 ns`, `12.3 µs`.
    static func span(_ nanoseconds: Int64) -> String {
        var (rest, unit) = (nanoseconds, "ns")
        var tenth: Int64 = 0
        for larger in ["µs", "ms", "s"] where rest >= 1_000 {
            tenth = rest % 1_000 / 100
            (rest, unit) = (rest / 1_000, larger)
        }
        return unit == "ns" ? "\(rest) ns" : "\(rest).\(tenth) \(unit)"
    }
}
