// What filters mean.

import DeviceModel
import DeviceQuery
import Testing

@Suite struct FilterLanguageTests {
    private static let moment = Timestamp(rfc3339: "2012-04-21T11:30:00-04:00") ?? .epoch

    /// The AIP's own examples, on fields that devices have: its `a` of each type is an attribute of that type here.
    @Test(
        arguments: [
            ("id = 1 AND id = 2", .all([.id(1), .id(2)])),
            ("id = 1 id = 2", .all([.id(1), .id(2)])),
            ("id = 1 OR id = 2 OR id = 3", .any([.id(1), .id(2), .id(3)])),
            ("id = 1 AND id = 2 OR id = 3", .all([.id(1), .any([.id(2), .id(3)])])),
            ("id = 1 id = 2 AND id = 3 AND id = 4", .all([.id(1), .id(2), .id(3), .id(4)])),
            ("(id = 1 id = 2) AND id = 3 AND id = 4", .all([.id(1), .id(2), .id(3), .id(4)])),
            ("id = 1 id = 2 id = 3 OR id = 4", .all([.id(1), .id(2), .any([.id(3), .id(4)])])),
            ("NOT id = 1", .not(.id(1))),
            ("-id = 1", .not(.id(1))),
            ("NOT (id = 1 OR id = 2)", .not(.any([.id(1), .id(2)]))),
            ("-owner_ref:\".java\"", .not(.equal(.ownerRef, ".java"))),
            ("attributes.docked = true", .comparison(.attribute("docked"), .equal, .bool(true))),
            ("attributes.battery != 42", .comparison(.attribute("battery"), .notEqual, .integer(42))),
            ("attributes.battery < 42", .comparison(.attribute("battery"), .less, .integer(42))),
            ("attributes.zone > \"foo\"", .comparison(.attribute("zone"), .greater, .text("foo"))),
            ("attributes.zone <= \"foo\"", .comparison(.attribute("zone"), .lessOrEqual, .text("foo"))),
            ("attributes.battery >= 42", .comparison(.attribute("battery"), .greaterOrEqual, .integer(42))),
            (
                "id < 10 OR id >= 100",
                .any([.comparison(.id, .less, .integer(10)), .comparison(.id, .greaterOrEqual, .integer(100))])
            ),
            ("attributes.Uptime = 2.997e9", .comparison(.attribute("Uptime"), .equal, .float(2.997e9))),
            (
                "created_date >= 2012-04-21T11:30:00-04:00",
                .comparison(.createdDate, .greaterOrEqual, .time(Self.moment))
            ),
            ("attributes.zone = \"*.foo\"", .like(.attribute("zone"), "*.foo")),
            ("attributes.net.rssi > 42", .comparison(.attribute("net.rssi"), .greater, .integer(42))),
            ("attributes.net.rssi:42", .comparison(.attribute("net.rssi"), .equal, .integer(42))),
            ("attributes.net.rssi:*", .presence(.attribute("net.rssi"))),
            ("hardware_version=com.google", .equal(.hardwareVersion, "com.google")),
            ("owner_ref != 'hello'", .comparison(.ownerRef, .notEqual, .text("hello"))),
        ] as [(String, FilterExpression)])
    func examplesOfTheAIPReadAsItSays(text: String, expected: FilterExpression) throws {
        #expect(try FilterFixture.parse(text) == expected)
    }

    @Test(
        arguments: [
            ("id=1 OR id=2 id=3 OR id=4", .all([.any([.id(1), .id(2)]), .any([.id(3), .id(4)])])),
            ("id=1 AND id=2 OR id=3 AND id=4", .all([.id(1), .any([.id(2), .id(3)]), .id(4)])),
            ("(id=1 AND id=2) OR (id=3 AND id=4)", .any([.all([.id(1), .id(2)]), .all([.id(3), .id(4)])])),
            ("NOT id=1 OR id=2", .any([.not(.id(1)), .id(2)])),
            ("NOT id=1 AND id=2", .all([.not(.id(1)), .id(2)])),
            ("id=1 -id=2", .all([.id(1), .not(.id(2))])),
            ("id=1 OR -id=2", .any([.id(1), .not(.id(2))])),
            ("-(id=1 id=2)", .not(.all([.id(1), .id(2)]))),
            ("NOT(id=1)OR(id=2)AND(id=3)", .all([.any([.not(.id(1)), .id(2)]), .id(3)])),
            ("(id=1)(id=2)-(id=3)", .all([.id(1), .id(2), .not(.id(3))])),
            // Lists within lists of their kind are one list; a list of one is that one.
            ("((id=1 AND (id=2 AND id=3)))", .all([.id(1), .id(2), .id(3)])),
            ("id=1 OR (id=2 OR (id=3 OR id=4))", .any([.id(1), .id(2), .id(3), .id(4)])),
            ("(id=1 OR id=2) AND ((id=3))", .all([.any([.id(1), .id(2)]), .id(3)])),
            ("((((id=1))))", .id(1)),
            // Two negations are none, whatever is between them.
            ("NOT NOT id=1", .id(1)),
            ("--id=1", .id(1)),
            ("NOT -NOT id=1", .not(.id(1))),
            ("NOT (NOT id=1)", .id(1)),
            ("-(NOT (id=1 id=2)) id=3", .all([.id(1), .id(2), .id(3)])),
            ("NOT (NOT (NOT (id=1)))", .not(.id(1))),
            ("\t\n id \r = \u{A0} 1 \u{3000}", .id(1)),
        ] as [(String, FilterExpression)])
    func orBindsTighterThanAndAndNotTighterStill(text: String, expected: FilterExpression) throws {
        #expect(try FilterFixture.parse(text) == expected)
    }

    @Test(arguments: ["", " ", " \t\r\n\u{A0}"])
    func whiteSpaceIsNoFilter(text: String) throws {
        #expect(try FilterFixture.parse(text) == nil)
    }

    @Test(
        arguments: [
            ("id", .id), ("created_date", .createdDate), ("updated_date", .updatedDate),
            ("device_serial", .deviceSerial),
            ("owner_ref", .ownerRef), ("hardware_version", .hardwareVersion), ("last_seen", .lastSeen), ("etag", .etag),
            ("last_seen_release", .releaseVersion), ("last_seen_release.version", .releaseVersion),
            ("last_seen_release.revision", .releaseRevision), ("last_seen_release.id", .releaseID),
            ("release", .releaseVersion), ("release.version", .releaseVersion), ("release.revision", .releaseRevision),
            ("release.id", .releaseID), ("cohort", .cohortSlug), ("cohort.slug", .cohortSlug),
            ("cohort.name", .cohortName),
            ("cohort.id", .cohortID), ("attributes.battery", .attribute("battery")),
            ("attributes.BATTERY", .attribute("battery")), ("attributes.net.rssi", .attribute("net.rssi")),
            ("attributes.\"net.rssi\"", .attribute("net.rssi")),
            ("attributes.'battery LEVEL'", .attribute("Battery level")),
            ("attributes.\"net/if:0\"", .attribute("net/if:0")), ("attributes.AND", .attribute("AND")),
            ("attributes.fw-version", .attribute("fw-version")),
        ] as [(String, FilterField)])
    func everyNameAsksForPresence(name: String, field: FilterField) throws {
        #expect(try FilterFixture.parse("\(name):*") == .presence(field))
        #expect(try FilterFixture.parse("NOT \(name) : *") == .not(.presence(field)))
    }

    @Test(
        arguments: [
            ("device_serial = 00:1B:44:11:3A:B7", .equal(.deviceSerial, "00:1B:44:11:3A:B7")),
            ("release = 1.2.3-rc.1+5", .equal(.releaseVersion, "1.2.3-rc.1+5")),
            ("release = 1.2", .equal(.releaseVersion, "1.2")),
            ("release:1.2", .equal(.releaseVersion, "1.2")),
            ("owner_ref = true", .equal(.ownerRef, "true")),
            ("owner_ref = -5", .equal(.ownerRef, "-5")),
            ("owner_ref = and", .equal(.ownerRef, "and")),
            ("owner_ref = Ångström/München_8", .equal(.ownerRef, "Ångström/München_8")),
            ("owner_ref = depot@example.com", .equal(.ownerRef, "depot@example.com")),
            ("owner_ref = \"AND\"", .equal(.ownerRef, "AND")),
            ("owner_ref = \"device_serial\"", .equal(.ownerRef, "device_serial")),
            ("owner_ref = ''", .equal(.ownerRef, "")),
            (#"owner_ref = "say \"hi\" \\ it's""#, .equal(.ownerRef, #"say "hi" \ it's"#)),
            (#"owner_ref = 'say "hi" \\ it\'s'"#, .equal(.ownerRef, #"say "hi" \ it's"#)),
            (#"owner_ref = "5\*""#, .equal(.ownerRef, "5*")),
            ("owner_ref = \"a\nb\"", .equal(.ownerRef, "a\nb")),
            ("owner_ref = a*", .like(.ownerRef, "a*")),
            ("owner_ref:*a*b", .like(.ownerRef, "*a*b")),
            ("owner_ref = *", .like(.ownerRef, "*")),
            ("owner_ref:\"*\"", .like(.ownerRef, "*")),
            ("owner_ref = a***b**", .like(.ownerRef, "a*b*")),
            (
                #"owner_ref = "é*\*""#,
                .comparison(.ownerRef, .equal, .pattern(TextPattern(pieces: [Array("é".utf8), [UInt8(ascii: "*")]])))
            ),
            ("owner_ref < a*", .comparison(.ownerRef, .less, .text("a*"))),
            ("etag != \"0a1b2c3d-5\"", .comparison(.etag, .notEqual, .text("0a1b2c3d-5"))),
            ("etag:0a1b2c3d-5", .equal(.etag, "0a1b2c3d-5")),
        ] as [(String, FilterExpression)])
    func textsTakeEveryValueQuotedOrNot(text: String, expected: FilterExpression) throws {
        #expect(try FilterFixture.parse(text) == expected)
    }

    @Test(
        arguments: [
            ("5", .integer(5)), ("+5", .integer(5)), ("-5", .integer(-5)), ("007", .integer(7)), ("5.0", .integer(5)),
            ("5e3", .integer(5_000)), ("-0.0", .integer(0)), ("5.5", .float(5.5)), (".5", .float(0.5)),
            ("-2.5E-1", .float(-0.25)), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .float(0x1p63)),
            ("1e300", .float(1e300)), ("1e19", .float(1e19)), ("1e18", .integer(1_000_000_000_000_000_000)),
            // More digits than a Double has.
            ("9007199254740993.0", .integer(9_007_199_254_740_993)),
            ("-900719925474099.3e1", .integer(-9_007_199_254_740_993)),
            ("922337203685477580700.0e-2", .integer(.max)),
            ("0.00e99999999999", .integer(0)), ("00.50e1", .integer(5)),
            // A fraction that a Double does not have.
            ("1.00000000000000000001", .float(1.5)), ("0.99999999999999999999", .float(0.5)),
            ("-1.00000000000000000001", .float(-1.5)), ("-1e-99999999999", .float(-0.5)), ("1e-400", .float(0.5)),
            ("9223372036854775807.5", .float(0x1p63)), ("-9223372036854775808.5", .float((-0x1p63).nextDown)),
            // Below every integer, and still so as a Double.
            ("-9223372036854775809", .float((-0x1p63).nextDown)),
        ] as [(String, FilterOperand)])
    func integerFieldsTakeEveryNumber(value: String, expected: FilterOperand) throws {
        #expect(try FilterFixture.parse("id >= \(value)") == .comparison(.id, .greaterOrEqual, expected))
        #expect(
            try FilterFixture.parse("attributes.battery < \(value)")
                == .comparison(.attribute("battery"), .less, expected))
    }

    @Test(arguments: [
        (-0x1p63, "-9223372036854775808.0"), (0x1.0000000000001p62, "4611686018427388928.0"),
        (0x1p53 + 2, "9007199254740994.0"),
        (0x1p63, "9.223372036854776e+18"), (-0.0, "-0.0"), (2.5, "2.5"),
    ])
    func aNumberIsWrittenWithTheDigitsThatItHas(value: Double, text: String) throws {
        let tree = FilterExpression.comparison(.id, .less, .float(value))
        #expect(String(describing: tree) == "id < \(text)")
        let integer = Int64(exactly: value).map(FilterOperand.integer)
        #expect(try FilterFixture.parse(String(describing: tree)) == .comparison(.id, .less, integer ?? .float(value)))
    }

    @Test(arguments: [
        ("5", 5.0), ("-0", -0.0), ("9223372036854775809", 0x1p63), ("1.5e-3", 0.0015), ("+.5", 0.5), ("0.1", 0.1),
    ])
    func floatFieldsTakeDoubles(value: String, expected: Double) throws {
        #expect(
            try FilterFixture.parse("attributes.uptime = \(value)")
                == .comparison(.attribute("Uptime"), .equal, .float(expected)))
    }

    @Test(arguments: [
        "2012-04-21T11:30:00-04:00", "2012-04-21T15:30:00Z", "\"2012-04-21T15:30:00.0000009Z\"",
        "'2012-04-21 15:30:00z'",
    ])
    func timesAreRFC3339QuotedOrNot(value: String) throws {
        #expect(try FilterFixture.parse("last_seen < \(value)") == .comparison(.lastSeen, .less, .time(Self.moment)))
    }

    @Test func boolsAreTrueAndFalse() throws {
        let docked = FilterField.attribute("docked")
        #expect(try FilterFixture.parse("attributes.docked != true") == .comparison(docked, .notEqual, .bool(true)))
        #expect(try FilterFixture.parse("attributes.docked:false") == .comparison(docked, .equal, .bool(false)))
    }

    @Test(arguments: [
        ("attributes.battery<20   cohort:beta", #"attributes.battery < 20 AND cohort = "beta""#),
        ("(id=1 id=2) OR last_seen_release.id:*", "(id = 1 AND id = 2) OR release.id:*"),
        ("NOT (id=1 OR id=2) AND (id=3 OR id=4)", "NOT (id = 1 OR id = 2) AND id = 3 OR id = 4"),
        ("-(attributes.'BATTERY level' > 5)", #"NOT attributes."Battery level" > 5"#),
        (#"owner_ref = 'a"b\\*\*'"#, #"owner_ref = "a\"b\\*\*""#),
        ("last_seen > 2012-04-21T11:30:00-04:00", "last_seen > 2012-04-21T15:30:00.000000+00:00"),
    ])
    func descriptionsAreTheShortestText(text: String, expected: String) throws {
        #expect(try FilterFixture.parse(text)?.description == expected)
    }
}
