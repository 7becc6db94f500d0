import DeviceModel
import JSONText
import Testing

@testable import rollcall

@Suite struct TableOutputTests {
    @Test func columnsAreAlignedAndWideEnough() async throws {
        let (data, words) = try await printed(.table) { printer in
            var list = printer.list(of: .device())
            try list.write([Samples.device, Samples.unseenDevice])
            try list.finish(Paging(itemCount: 2, itemCountPerPage: 100))
        }
        #expect(
            data == """
                SERIAL    OWNER                  HARDWARE  COHORT   RELEASE  LAST SEEN
                ABCD1234  awesome_employee_1234  hwrev1    beta     1.2.3    2019-01-19 05:01:13Z
                00:1A:2B  -                      rev,2     default  -        never

                """
        )
        #expect(words.isEmpty)
    }

    @Test func numbersAreAlignedRight() async throws {
        let (data, _) = try await printed(.table) { printer in
            var list = printer.list(of: .cohort)
            try list.write([
                Cohort(id: 1, name: "Default", slug: "default", deviceCount: 12_345),
                Cohort(id: 2, name: "早期", slug: "beta", deviceCount: 7),
            ])
            try list.finish(nil)
        }
        #expect(
            data == """
                SLUG     NAME     DEVICES
                default  Default    12345
                beta     早期           7

                """
        )
    }

    @Test func narrowTerminalCutsTheWidestColumns() async throws {
        for columnCount in [20, 40, 60, 70] {
            let (data, _) = try await printed(.table, columnCount: columnCount, isTerminal: true) { printer in
                var list = printer.list(of: .device())
                try list.write([Samples.device, Samples.unseenDevice])
                try list.finish(nil)
            }
            // Six columns cannot be narrower than their least widths and the gaps between them.
            let least = 8 + 8 + 8 + 7 + 7 + 8 + 5 * 2
            for line in data.split(separator: "\n") {
                #expect(String(line).columnCount <= max(columnCount, least))
            }
            #expect(data.contains("…"))
            #expect(data.contains("ABCD1234"))
        }
    }

    @Test func laterPageWidensColumnsAndRepeatsNoHeader() {
        var table = Table(headings: [("A", false), ("B", false)], columnCountMax: nil, isStyled: false)
        #expect(table.text(of: [["1", "x"]]) == "A  B\n1  x\n")
        #expect(table.text(of: [["12345", "x"]]) == "12345  x\n")
        #expect(table.text(of: [["1", "x"]]) == "1      x\n")
    }

    @Test func headerIsDimmedOnlyWhereStyled() {
        var table = Table(headings: [("A", false)], columnCountMax: 80, isStyled: true)
        #expect(table.text(of: [["1"]]) == "\u{1B}[2mA\u{1B}[0m\n1\n")
    }

    @Test func oneItemIsAFieldALine() async throws {
        let (data, _) = try await printed(.table) { try $0.one(Samples.unseenDevice, as: .device(.full)) }
        #expect(
            data == """
                id                          2
                created_date                2019-01-19T05:01:13.000000+00:00
                updated_date                2019-01-19T05:01:14.234567+00:00
                device_serial               00:1A:2B
                owner_ref                   -
                hardware_version            rev,2
                last_seen                   -
                last_seen_release_version   -
                last_seen_release_revision  -
                cohort                      default
                etag                        3f2a9c10-2
                attributes.battery          0.1
                attributes.note             say "hi"\\n\\u{1B}[31m

                """
        )
    }

    @Test func countIsATableOfItsGroups() async throws {
        let (data, words) = try await printed(.table) { try $0.count(Samples.count, by: [.release, .activity]) }
        #expect(
            data == """
                RELEASE  ACTIVITY  DEVICES
                1.2.3    active         12
                -        pending         7

                """
        )
        #expect(words == "19 of 20 devices in 2 groups. There are more: --limit\n")
        let whole = DeviceCount(count: 20, groups: [DeviceGroup(values: [.int(80)], count: 20)], otherCount: 0)
        let battery = try await printed(.table) { try $0.count(whole, by: [.attribute("battery")]) }
        #expect(battery.data == "battery  DEVICES\n80            20\n")
        #expect(battery.words == "20 of 20 devices in 1 group.\n")
    }

    @Test func countAloneIsANumberAndNothingIsSaidInWords() async throws {
        let alone = DeviceCount(count: 20, groups: [], otherCount: 0)
        let (data, words) = try await printed(.table) { try $0.count(alone, by: []) }
        #expect(data == "count  20\n" && words.isEmpty)
        let none = try await printed(.table) {
            try $0.count(DeviceCount(count: 0, groups: [], otherCount: 0), by: [.cohort])
        }
        #expect(none.data.isEmpty && none.words == "No devices.\n")
    }

    @Test func csvOfACountHasTheNamesOfItsKeys() async throws {
        let (data, _) = try await printed(.csv) { try $0.count(Samples.count, by: [.release, .activity]) }
        #expect(data == "release,activity,count\r\n1.2.3,active,12\r\n,pending,7\r\n")
        let alone = DeviceCount(count: 20, groups: [], otherCount: 0)
        #expect(try await printed(.csv) { try $0.count(alone, by: []) }.data == "count\r\n20\r\n")
    }

    @Test func explanationIsABlockToRead() async throws {
        let (data, _) = try await printed(.table) { try $0.explanation(Samples.explanation) }
        #expect(
            data == """
                plan        ordered walk
                step 1      walk last_seen from its newest end
                step 2      ask each about cohort
                candidates  120 (134 expected)
                matches     101 (100 expected)
                time        12.3 µs (850 ns expected)
                slices      1

                """
        )
    }

    @Test(
        arguments: [
            (0, "0 ns"), (999, "999 ns"), (1_000, "1.0 µs"), (999_999, "999.9 µs"), (1_000_000, "1.0 ms"),
            (1_250_000_000, "1.2 s"), (90_000_000_000, "90.0 s"), (5_000_000_000_000, "5000.0 s"),
        ] as [(Int64, String)])
    func spanIsInTheUnitThatFits(nanoseconds: Int64, text: String) {
        #expect(Layout<QueryExplanation>.span(nanoseconds) == text)
    }

    @Test(arguments: [OutputFormat.table, .json, .ndjson, .csv])
    func nothingSteersTheTerminal(format: OutputFormat) async throws {
        var device = Samples.device
        device.ownerRef = "a\u{1B}]0;title\u{7}b\u{9B}31mc\u{202E}d\u{7F}\re"
        let (data, _) = try await printed(format, columnCount: 200, isTerminal: true) { printer in
            var list = printer.list(of: .device())
            try list.write([device])
            try list.finish(nil)
            try printer.one(device, as: .device())
        }
        // What ends a line is ours.
        let allowed: Set<Unicode.Scalar> = format == .csv ? ["\n", "\r"] : ["\n"]
        #expect(!data.unicodeScalars.contains { $0.steersTerminal && !allowed.contains($0) })
        if format == .csv {
            #expect(data.unicodeScalars.count { $0 == "\r" } == data.unicodeScalars.count { $0 == "\n" })
        }
    }

    @Test func cutCountsColumnsNotCharacters() {
        #expect("日本語テキスト".columnCount == 14)
        #expect("日本語テキスト".cut(to: 8) == "日本語…")
        #expect("abcdefgh".cut(to: 8) == "abcdefgh")
        #expect("abcdefghi".cut(to: 8) == "abcdefg…")
        #expect("e\u{301}".columnCount == 1)
        #expect("😀".columnCount == 2)
    }

    @Test func csvQuotesWhatItMust() {
        #expect(
            CSV.record(["a", "", "b,c", "say \"hi\"", "line\nbreak", "cr\r\nlf", " edge"])
                == "a,,\"b,c\",\"say \"\"hi\"\"\",\"line\nbreak\",\"cr\r\nlf\",\" edge\"\r\n"
        )
    }

    @Test func csvHasAHeaderEvenWithoutItems() async throws {
        let (data, _) = try await printed(.csv) { try $0.whole([Project](), "projects", as: .project) }
        #expect(data == "id,slug,name,created_date\r\n")
    }

    @Test func csvOfDevicesHasEveryField() async throws {
        let (data, _) = try await printed(.csv) { printer in
            var list = printer.list(of: .device(.full))
            try list.write([Samples.unseenDevice])
            try list.finish(nil)
        }
        #expect(
            data == """
                id,created_date,updated_date,device_serial,owner_ref,hardware_version,last_seen,\
                last_seen_release_version,last_seen_release_revision,cohort,etag,attributes\r
                2,2019-01-19T05:01:13.000000+00:00,2019-01-19T05:01:14.234567+00:00,00:1A:2B,,"rev,2",,,,default,\
                3f2a9c10-2,"{""battery"": 0.1, ""note"": ""say \\""hi\\""\\n\\u001b[31m""}"\r

                """
        )
    }
}
