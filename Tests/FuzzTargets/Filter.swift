// The text of a filter: parsed, written, and answered.

internal import DeviceModel
internal import DeviceQuery
internal import RollcallTesting

extension FuzzTarget {
    /// A text that is no filter is refused in a sentence; one that is reads as itself when it is written, and every plan answers it
    /// with the devices that the naive oracle finds.
    static let filter = FuzzTarget(
        "filter", "the text of a filter, answered by every plan", byteCountMax: 1_024,
        words: [
            "AND", "OR", "NOT", "-", "(", ")", "=", "!=", "<", "<=", ">", ">=", ":", ":*", "*", "\"", "'", "\\", "true",
            "false", "id", "created_date", "updated_date", "device_serial", "owner_ref", "hardware_version",
            "last_seen",
            "release", "release.revision", "release.id", "cohort", "cohort.name", "cohort.id", "etag", "attributes.",
            "2019-01-19T05:01:13Z", "1e3", "0x", "hwrev1", "beta",
        ] + FuzzFleet.shared.attributeKeys.map(\.metric.stringKey),
        seeds: { FilterReading.seeds },
        feed: { bytes in try FilterReading.check(String(decoding: bytes, as: UTF8.self)) })
}

private enum FilterReading {
    /// The generator's own filters, and what it does not write.
    static var seeds: [FuzzSeed] {
        var generator = FuzzFleet.shared.generator
        let written = (0..<40).map { _ in generator.filter().filter.expression }.filter { !$0.isEmpty }
        let others = [
            "NOT (owner_ref = \"a\" OR -owner_ref:*) hardware_version=hwrev*",
            "last_seen > 2019-01-19T05:01:13.5+02:00",
            "id = 1 OR id != -2 AND id >= 9223372036854775807", "((((release:*))))", "owner_ref = \"\\\"\\\\\\u00e9\"",
            "device_serial = *-* release.revision = 11d9*", "bare", "f(x)", "a.b.c = 1", "owner_ref =", "= 5", "(",
            "cohort.name = 'The beta'", "last_seen_release:*", "attributes.\"unknown key\" = 1", "  ",
        ]
        return (written + others).enumerated().map { FuzzSeed("filter-\($0.offset)", $0.element) }
    }

    static func check(_ text: String) throws {
        let fleet = FuzzFleet.shared
        var query = ListQuery()
        query.filter.expression = text
        query.pageSize = fleet.limits.pageSizeMax
        let tree: FilterExpression?
        do throws(InvalidFields) {
            tree = try fleet.parse(text)
        } catch {
            guard error.violations.count == 1, error.violations[0].field == "filter",
                (1...1_000).contains(error.violations[0].description.utf8.count)
            else { throw FuzzFinding("The filter is refused with \(error.violations).") }
            return
        }
        if let tree {
            let again: FilterExpression?
            do throws(InvalidFields) {
                again = try fleet.parse(tree.description)
            } catch {
                throw FuzzFinding("The filter's tree is written as \(tree), which is refused with \(error.violations).")
            }
            guard again == tree else { throw FuzzFinding("The filter's tree is written as \(tree), which is another.") }
        }
        try Self.checkAnswers(query, tree, fleet)
    }

    private static func checkAnswers(_ query: ListQuery, _ tree: FilterExpression?, _ fleet: FuzzFleet) throws {
        // The oracle reads trees; a text of white space alone has none and asks nothing.
        var asked = query
        if tree == nil { asked.filter.expression = "" }
        let expected = fleet.expected(asked, tree)
        for plan in [nil] + QueryExplanation.Plan.allCases {
            let ids: [DeviceID]
            do throws(InvalidFields) {
                ids = try fleet.page(query, forcedPlan: plan).ids
            } catch {
                throw FuzzFinding("The filter parses, and a list with it is refused with \(error.violations).")
            }
            guard ids == expected else {
                throw FuzzFinding(
                    "By plan \(plan.map { "\($0)" } ?? "of its own") the list is \(ids), and not \(expected).")
            }
        }
    }
}
