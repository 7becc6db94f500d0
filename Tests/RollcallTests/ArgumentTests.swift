import ArgumentParser
import DeviceModel
import RollcallClient
import Testing

@testable import rollcall

@Suite struct ArgumentTests {
    @Test(arguments: [
        ("20", AttributeValue.int(20)), ("-0", .int(0)), ("9223372036854775807", .int(.max)),
        ("9223372036854775808", .float(9.223372036854775808e18)), ("20.0", .float(20)), ("1e3", .float(1_000)),
        ("-2.5E-3", .float(-0.0025)), ("true", .bool(true)), ("false", .bool(false)), ("\"20\"", .string("20")),
        (#""a\"b\\\u00e9\ud83d\ude00\n""#, .string("a\"b\\é😀\n")), ("\"\"", .string("")), ("", .string("")),
        // No JSON, so a string as it stands.
        ("020", .string("020")), ("+1", .string("+1")), ("1.", .string("1.")), (".5", .string(".5")),
        ("0x10", .string("0x10")), ("1e", .string("1e")), ("nan", .string("nan")), ("1e999", .string("1e999")),
        ("True", .string("True")), ("Room 4", .string("Room 4")), ("\"open", .string("\"open")), ("\"", .string("\"")),
        (#""a"b""#, .string(#""a"b""#)), (#""\ud83d""#, .string(#""\ud83d""#)), (#""\x""#, .string(#""\x""#)),
        (#""\""#, .string(#""\""#)), (" 5", .string(" 5")),
    ])
    func attributeValueIsAJSONScalarOrAString(text: String, value: AttributeValue) {
        #expect(AttributeValue(argument: text) == value)
    }

    @Test func assignmentIsSplitAtItsFirstEqualsSign() throws {
        let assignment = try AttributeAssignment.argument("a b=c=d")
        #expect(assignment.key == "a b" && assignment.value == .string("c=d"))
        #expect(try AttributeAssignment.argument("a=").value == .string(""))
        for bad in ["a", "=1", "", "a=null"] {
            #expect(throws: (any Error).self) { try AttributeAssignment.argument(bad) }
        }
        #expect(try AttributeAssignment.argument("a=\"null\"").value == .string("null"))
    }

    @Test(arguments: [
        ["--sort=-last_seen,id"], ["--sort", "-last_seen,id"], ["--sort", "last_seen desc", "--sort", "id"],
    ])
    func sortMayBeginWithAHyphen(words: [String]) throws {
        let command = try #require(try RollcallCommand.parseAsRoot(["list"] + words) as? List)
        #expect(command.sort.flatMap(\.self) == [SortKey(.lastSeen, isDescending: true), SortKey(.id)])
    }

    @Test func repeatedFiltersAreCollected() throws {
        let words = [
            "list", "--release", "1", "--release", "2", "--serial", "A", "--activity", "inactive", "--activity-window",
            "7d",
        ]
        let command = try #require(try RollcallCommand.parseAsRoot(words) as? List)
        let filter = command.filters.deviceFilter
        #expect(filter.releases == ["1", "2"])
        #expect(filter.deviceSerials == ["A"])
        #expect(filter.activity == .inactive)
        #expect(filter.activityWindowMicroseconds == 604_800_000_000)
        #expect(filter.expression.isEmpty)
    }

    @Test(arguments: [["list"], ["count"], ["purge", "--yes"]])
    func everyFilterIsTakenByEveryCommandThatChoosesDevices(command: [String]) throws {
        let words = [
            "--release", "1", "--owner-ref", "o", "--hardware-version", "h", "--cohort", "c", "--serial", "A",
            "--last-seen-since", "1970-01-01T00:00:00Z", "--last-seen-until", "1970-01-01T00:00:01Z", "--activity",
            "active", "--activity-window", "90s", "--filter", "-cohort = lab",
        ]
        var filter = DeviceFilter()
        filter.releases = ["1"]
        filter.ownerRefs = ["o"]
        filter.hardwareVersions = ["h"]
        filter.cohorts = ["c"]
        filter.deviceSerials = ["A"]
        filter.lastSeenSince = .epoch
        filter.lastSeenUntil = Timestamp(microseconds: 1_000_000)
        filter.activity = .active
        filter.activityWindowMicroseconds = 90_000_000
        filter.expression = "-cohort = lab"
        let parsed = try RollcallCommand.parseAsRoot(command + words)
        let options = (parsed as? List)?.filters ?? (parsed as? Count)?.filters ?? (parsed as? Purge)?.filters
        #expect(options?.deviceFilter == filter)
    }

    @Test(
        arguments: [
            (["--by", "release,cohort"], [.release, .cohort]),
            (["--by", "release", "--by", "cohort"], [.release, .cohort]),
            (["--by=activity", "--activity-window", "7d"], [.activity]),
            (["--by", "attributes.\"A b\" , owner_ref", "--limit", "5"], [.attribute("a b"), .ownerRef]),
            (["--by", "hardware_version", "--explain"], [.hardwareVersion]), ([], []),
        ] as [([String], [GroupKey])])
    func countTakesKeysTogetherOrOneByOne(words: [String], keys: [GroupKey]) throws {
        let command = try #require(try RollcallCommand.parseAsRoot(["count"] + words) as? Count)
        #expect(try command.keys == keys)
    }

    @Test(arguments: [
        ("y\n", true), ("Yes\n", true), (" y ", true), ("", false), ("\n", false), ("n\n", false), ("yess\n", false),
        ("y n\n", false),
    ])
    func onlyAYesIsAYes(answer: String, isYes: Bool) {
        #expect(Confirmation.isYes(answer) == isYes)
    }

    @Test func unknownKeyOfACountIsNamedBesideTheKnownOnes() {
        let error = #expect(throws: (any Error).self) {
            try RollcallCommand.parseAsRoot(["count", "--by", "relase,cohort"])
        }
        let sentence = error.map { RollcallCommand.message(for: $0) } ?? ""
        #expect(
            sentence.hasPrefix(
                "--by is 'relase', which is not a key to group by; known keys are release, hardware_version, cohort,"))
    }

    @Test func hyphenHyphenEndsOptions() throws {
        let command = try #require(try RollcallCommand.parseAsRoot(["get", "--view", "full", "--", "-X"]) as? Get)
        #expect(command.serial == "-X")
        #expect(command.view == .full)
    }

    @Test(arguments: [
        ["frobnicate"], ["get"], ["get", "A", "--nothing"], ["list", "--sort", "deployed_date"],
        ["list", "--page", "0"],
        ["list", "--page", "1", "--all"], ["list", "--page", "1", "--page-token", "x"], ["list", "--page-size", "0"],
        ["list", "--activity-window", "7d"], ["list", "--activity", "asleep"], ["list", "--last-seen-since", "today"],
        ["list", "--timeout", "0"], ["list", "--timeout", "nan"], ["list", "--output", "xml"], ["update", "A"],
        ["create", "A", "--owner-ref", "x"], ["check-in", "A", "--create-missing"],
        ["check-in", "A", "--revision", "x"],
        ["attributes", "set", "A"], ["attributes", "set", "A", "k"], ["delete", "A", "--request-id", "1"],
        ["list", "--address", "http://host"], ["list", "--address", ""],
        ["list", "--filter", "a=1", "--filter", "b=1"], ["list", "--explain", "--all"], ["list", "--by", "cohort"],
        ["count", "--by", "cohort,cohort"], ["count", "--by", "cohort,release,activity"], ["count", "--by", ""],
        ["count", "--limit", "5"], ["count", "--by", "cohort", "--limit", "0"], ["count", "--activity-window", "7d"],
        ["count", "--sort", "id"], ["attribute-key", "list", "A"],
    ])
    func wrongUsageIsRefused(words: [String]) {
        #expect(throws: (any Error).self) { try RollcallCommand.parseAsRoot(words) }
    }

    @Test(arguments: [
        (["--address", "/s", "get", "A"], ["get", "A", "--address", "/s"]),
        (["--output=json", "-o", "csv", "project", "list"], ["project", "list", "--output=json", "-o", "csv"]),
        (["--project", "p", "get", "--", "-X"], ["get", "--project", "p", "--", "-X"]),
        (["get", "--project", "p"], ["get", "--project", "p"]), (["--project"], ["--project"]), ([], []),
        (["--help"], ["--help"]),
    ])
    func globalOptionsMayComeFirst(words: [String], normalized: [String]) {
        #expect(CommandLineWords(words: words).normalized == normalized)
    }

    @Test func misspelledCommandGetsASuggestion() {
        func sentence(_ words: String...) -> String? {
            CommandLineWords(words: words).unknownCommand(of: RollcallCommand.self)
        }
        #expect(sentence("lsit", "--all") == "There is no command 'lsit'. Did you mean 'list'?")
        #expect(sentence("checkin") == "There is no command 'checkin'. Did you mean 'check-in'?")
        #expect(sentence("cohort", "renam") == "There is no command 'renam'. Did you mean 'rename'?")
        #expect(
            sentence("frobnicate")?.hasPrefix("There is no command 'frobnicate'; commands are create, get,") == true)
        #expect(sentence("list", "--nothing") == nil)
        #expect(sentence("get", "lsit") == nil)
        #expect(sentence() == nil)
    }

    @Test func everyCommandHasHelpWorthReading() {
        func check(_ command: any ParsableCommand.Type) {
            #expect(!command.configuration.abstract.isEmpty)
            if command.configuration.subcommands.isEmpty {
                #expect(command.configuration.discussion.contains("  rollcall "), "\(command) shows an example")
            }
            for line in command.configuration.discussion.split(separator: "\n") where line.hasPrefix("  ") {
                #expect(line.count <= 78, "\(command): \(line)")
            }
            command.configuration.subcommands.forEach(check)
        }
        check(RollcallCommand.self)
    }

    @Test func failuresHaveTheirExitCodes() {
        #expect(ExitStatus(RollcallError(.notFound, "")) == .refused)
        #expect(ExitStatus(RollcallError(.unavailable, "", reason: "DRAINING")) == .refused)
        #expect(ExitStatus(RollcallError(.unavailable, "", isConnectionFailure: true)) == .unreachable)
        #expect(ExitStatus(RollcallError(.deadlineExceeded, "", isConnectionFailure: true)) == .timedOut)
        #expect(ExitStatus(RollcallError(.deadlineExceeded, "")) == .timedOut)
        #expect(
            [ExitStatus.done, .refused, .usage, .unreachable, .timedOut, .interrupted].map(\.rawValue) == [
                0, 1, 2, 3, 4, 130,
            ])
    }
}
