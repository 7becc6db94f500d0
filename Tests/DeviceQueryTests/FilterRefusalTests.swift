// What is no filter, and what is said about it.

import DeviceModel
import DeviceQuery
import Testing

@Suite struct FilterRefusalTests {
    private static func nearest(_ name: String) -> String {
        "the nearest known one is \(name), of id, created_date, updated_date, device_serial, owner_ref, "
            + "hardware_version, last_seen, release, release.revision, release.id, cohort, cohort.name, cohort.id, "
            + "etag, attributes.<key>"
    }
    private static let bareWordAdvice = "write which field to compare with it, as in owner_ref = depot-7"
    private static let comparisonAdvice = "write one, as in owner_ref = depot-7"
    private static let valueAdvice = "write a value, in quotes if it holds more than letters, digits and .:-+/_"
    private static let timeAdvice = "write a time with its offset, such as 2019-01-19T05:01:13Z"
    private static let functionAdvice =
        "there are none: write a field, an operator and a value, as in owner_ref = depot-7"
    private static let fieldAdvice = "write a value, in quotes if it reads like a field"
    private static let operatorAdvice = "a comparison has one operator; put a value or a key that holds one in quotes"

    private func expect(_ text: String, _ sentence: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let expected = FieldViolation(field: "filter", description: sentence)
        #expect(FilterFixture.refusal(text) == expected, sourceLocation: sourceLocation)
    }

    /// What the AIP has as examples and devices have no use for.
    @Test(arguments: [
        ("42", "has the bare word '42' at 1; \(Self.bareWordAdvice)"),
        ("Hugo", "has the bare word 'Hugo' at 1; \(Self.bareWordAdvice)"),
        ("Victor Hugo", "has the bare word 'Victor' at 1; \(Self.bareWordAdvice)"),
        ("prod", "has the bare word 'prod' at 1; \(Self.bareWordAdvice)"),
        ("New York Giants OR Yankees", "has the bare word 'New' at 1; \(Self.bareWordAdvice)"),
        ("-30", "has the bare word '30' at 2; \(Self.bareWordAdvice)"),
        ("expr.type_map.1.type", "has the bare word 'expr.type_map.1.type' at 1; \(Self.bareWordAdvice)"),
        ("1 > 0", "has the unknown name '1' at 1; \(Self.nearest("id"))"),
        ("e[0].foo = 42", "has the unknown name 'e[0].foo' at 1; \(Self.nearest("etag"))"),
        ("yesterday < request.time", "has the unknown name 'yesterday' at 1; \(Self.nearest("etag"))"),
        (
            "experiment.rollout <= cohort(request.user)",
            "calls the function 'cohort' at 23; \(Self.functionAdvice)"
        ),
        ("regex(m.key, '^.*prod.*$')", "calls the function 'regex' at 1; \(Self.functionAdvice)"),
        ("math.mem('30mb')", "calls the function 'math.mem' at 1; \(Self.functionAdvice)"),
        (
            "(msg.endsWith('world') AND retries < 10)",
            "calls the function 'msg.endsWith' at 2; \(Self.functionAdvice)"
        ),
        (
            "attributes:battery",
            "names 'attributes' as a whole at 1; write attributes.key or attributes.\"Key with spaces\""
        ),
        ("id = 20s", "compares id (an integer) with '20s' at 6; write an integer"),
    ])
    func examplesOfTheAIPThatDevicesHaveNoUseForAreRefused(text: String, sentence: String) {
        self.expect(text, sentence)
    }

    @Test(arguments: [
        ("id = 1 and id = 2", "has the word 'and' at 8; write AND in capitals"),
        ("id = 1 Or id = 2", "has the word 'Or' at 8; write OR in capitals"),
        ("not id = 1", "has the word 'not' at 1; write NOT in capitals"),
        ("id = 1 && id = 2", "has the word '&&' at 8; write AND"),
        ("id = 1 | id = 2", "has the word '|' at 8; write OR"),
        ("id = 1&&id = 2", "has '&' in or after the value '1' at 7; write AND, or put a value that holds it in quotes"),
        ("!id = 1", "has '!' where a comparison belongs at 1; write NOT"),
        ("id = 1 ,id = 2", "has ',' where a comparison belongs at 8; write AND or OR between comparisons"),
        ("AND id = 1", "has the word AND where a comparison belongs at 1; \(Self.comparisonAdvice)"),
        ("id = 1 AND", "ends where a comparison belongs at 11; \(Self.comparisonAdvice)"),
        ("id = 1 OR OR id = 2", "has the word OR where a comparison belongs at 11; \(Self.comparisonAdvice)"),
        ("NOT", "ends where a comparison belongs at 4; \(Self.comparisonAdvice)"),
        ("()", "has ')' where a comparison belongs at 2; \(Self.comparisonAdvice)"),
        ("(id = 1", "has '(' without ')' at 1; write ) after what it groups"),
        ("id = 1)", "has ')' without '(' at 7; take it out, or open a parenthesis before it"),
        ("id = 1 - id = 2", "has '-' on its own at 8; write it right before what it negates, or write NOT"),
        (
            "last_seen",
            "names 'last_seen' without comparing it at 1; write an operator and a value, "
                + "or last_seen:* for devices that have one"
        ),
        (
            "id = 1 < 2",
            "has an operator where a comparison belongs at 8; write a name before it; a comparison has one operator"
        ),
        ("\u{1}", "has '\\u{01}' where a comparison belongs at 1; \(Self.comparisonAdvice)"),
        ("'Hugo'", "has the bare word 'Hugo' at 1; \(Self.bareWordAdvice)"),
        ("\"id\" = 1", "has the name 'id' in quotes at 1; write it without them"),
        (
            "owner\"ref\" = a",
            "has the quote '\"' in a name at 6; only a whole attribute key takes quotes, "
                + "as in attributes.\"Key with spaces\""
        ),
        (
            "attributes.\"zone\"x = a",
            "has 'x' right after a closing quote at 18; put a space between them, or the whole in one pair of quotes"
        ),
        ("id == 1", "has the unknown operator '==' at 4; write =, !=, <, <=, >, >= or :"),
        ("id <> 1", "has the unknown operator '<>' at 4; write =, !=, <, <=, >, >= or :"),
    ])
    func shapesAreRefusedWithTheirPlace(text: String, sentence: String) {
        self.expect(text, sentence)
    }

    @Test(arguments: [
        ("id =", "ends without a value for 'id' at 5; write one"),
        (
            "id = OR id = 2",
            "has the word OR where the value of 'id' belongs at 6; write a value, or \"OR\" if that is the value"
        ),
        (
            "(id = )",
            "has ')' where the value of 'id' belongs at 7; \(Self.valueAdvice)"
        ),
        ("release:(1.2.3 OR 1.2.4)", "has parentheses for the value of 'release' at 9; write release:A OR release:B"),
        (
            "release != (1 OR 2)",
            "has parentheses for the value of 'release' at 12; write release != A AND release != B"
        ),
        (
            "release = 1.2.3, 1.2.4",
            "has a list of values for 'release' at 16; write release = A OR release = B; between comparisons write AND"
        ),
        ("last_seen > now()", "calls the function 'now' at 13; \(Self.functionAdvice)"),
        (
            "owner_ref = device_serial",
            "compares owner_ref with another field, 'device_serial', at 13; \(Self.fieldAdvice)"
        ),
        (
            "created_date = attributes.x",
            "compares created_date with another field, 'attributes.x', at 16; \(Self.fieldAdvice)"
        ),
        ("owner_ref = a=b", "has '=' in or after the value 'a' at 14; \(Self.operatorAdvice)"),
        ("owner_ref = O'Brien", "has ''' in or after the value 'O' at 14; put a value that holds it in quotes"),
        (
            "owner_ref = [a]",
            "has '[' where the value of 'owner_ref' belongs at 13; \(Self.valueAdvice)"
        ),
        ("owner_ref = “a”", "has the curly quote '“' at 13; write \" or '"),
        (
            "owner_ref = \"a",
            "has the unclosed quote '\"' at 13; write \" again where the text ends, and \\\" for one within"
        ),
        (
            "owner_ref = 'a\\'",
            "has the unclosed quote ''' at 13; write ' again where the text ends, and \\' for one within"
        ),
        (
            #"owner_ref = "a\n""#,
            #"has the unknown escape '\n' at 15; write \\ for a backslash; the others are \", \' and \*"#
        ),
        (
            #"owner_ref = "a\"#,
            #"has the unknown escape '\' at 15; write \\ for a backslash; the others are \", \' and \*"#
        ),
        (
            "owner_ref = \"a\"b",
            "has 'b' right after a closing quote at 16; put a space between them, or the whole in one pair of quotes"
        ),
    ])
    func valuesAreRefusedWithTheirPlace(text: String, sentence: String) {
        self.expect(text, sentence)
    }

    @Test(arguments: [
        ("owner_reff = a", "has the unknown name 'owner_reff' at 1; \(Self.nearest("owner_ref"))"),
        (
            "(id = 1) deviceSerial = a",
            "has the unknown name 'deviceSerial' at 10; \(Self.nearest("device_serial"))"
        ),
        ("ID = 1", "has the unknown name 'ID' at 1; \(Self.nearest("id"))"),
        (
            "attribute.battery = 1",
            "has the unknown name 'attribute.battery' at 1; \(Self.nearest("attributes.battery"))"
        ),
        ("uptime = 1", "has the unknown name 'uptime' at 1; as an attribute it is written attributes.Uptime"),
        ("cohort.slugg = a", "has the unknown name 'cohort.slugg' at 1; \(Self.nearest("cohort.slug"))"),
        ("owner_ref = 'é👩‍👧' idd = 1", "has the unknown name 'idd' at 20; \(Self.nearest("id"))"),
        (
            "last_seen_release = 1.2",
            "compares 'last_seen_release' as a whole at 1; write release, release.revision or release.id, "
                + "or last_seen_release:* for devices that have one"
        ),
        ("attributes. = 1", "names no attribute at 1; write attributes.key or attributes.\"Key with spaces\""),
        ("attributes.'' = 1", "names no attribute at 1; write attributes.key or attributes.\"Key with spaces\""),
        (
            "attributes.batery < 1",
            "has the unknown attribute key 'batery' at 1; the nearest known one is attributes.battery"
        ),
        (
            "id = 1 attributes.\"BATERY LEVEL\" < 1",
            "has the unknown attribute key 'BATERY LEVEL' at 8; the nearest known one is attributes.\"Battery level\""
        ),
        (
            "attributes.net.rsi:*",
            "has the unknown attribute key 'net.rsi' at 1; the nearest known one is attributes.net.rssi"
        ),
    ])
    func unknownNamesAreRefusedBesideTheNearest(text: String, sentence: String) {
        self.expect(text, sentence)
    }

    @Test(arguments: [
        ("attributes.docked < true", "compares attributes.docked, which has no order, with '<' at 19; write = or !="),
        ("etag >= a", "compares etag, which has no order, with '>=' at 6; write = or !="),
        ("etag = a*", "compares etag with 'a*' at 8; it takes no wildcard: write it whole, or etag:* for any"),
        (
            "attributes.docked = TRUE",
            "compares attributes.docked (BOOL) with 'TRUE' at 21; write true or false, without quotes"
        ),
        (
            "attributes.docked = 'true'",
            "compares attributes.docked (BOOL) with 'true' at 21; write true or false, without quotes"
        ),
        (
            "attributes.docked = 1",
            "compares attributes.docked (BOOL) with '1' at 21; write true or false, without quotes"
        ),
        (
            "attributes.battery = \"5\"",
            "compares attributes.battery (INT) with '5' at 22; write the number without quotes"
        ),
        ("attributes.battery = 0x10", "compares attributes.battery (INT) with '0x10' at 22; write an integer"),
        ("id = 5.", "compares id (an integer) with '5.' at 6; write an integer"),
        ("id = -", "compares id (an integer) with '-' at 6; write an integer"),
        ("id = 1e", "compares id (an integer) with '1e' at 6; write an integer"),
        ("id = 1_000", "compares id (an integer) with '1_000' at 6; write an integer"),
        (
            "id = *",
            "compares id (an integer) with '*' at 6; write an integer; "
                + "for devices that have a value write id:*, for the others NOT id:*"
        ),
        ("id < 1e309", "compares id (an integer) with '1e309' at 6; write a number whose magnitude is below 1.8e308"),
        (
            "attributes.uptime = nan",
            "compares attributes.Uptime (FLOAT) with 'nan' at 21; write a number, such as 20, 1.5 or 2.5e3"
        ),
        (
            "attributes.uptime = -inf",
            "compares attributes.Uptime (FLOAT) with '-inf' at 21; write a number, such as 20, 1.5 or 2.5e3"
        ),
        (
            "attributes.uptime = -1e999",
            "compares attributes.Uptime (FLOAT) with '-1e999' at 21; write a number whose magnitude is below 1.8e308"
        ),
        (
            "last_seen > 2019-01-19",
            "compares last_seen (a time) with '2019-01-19' at 13; \(Self.timeAdvice)"
        ),
        (
            "last_seen > 2019-02-29T00:00:00Z",
            "compares last_seen (a time) with '2019-02-29T00:00:00Z' at 13; \(Self.timeAdvice)"
        ),
        (
            "last_seen = null",
            "compares last_seen (a time) with 'null' at 13; \(Self.timeAdvice); "
                + "for devices that have a value write last_seen:*, for the others NOT last_seen:*"
        ),
    ])
    func valuesOfAnotherTypeAreRefused(text: String, sentence: String) {
        self.expect(text, sentence)
    }

    @Test func aProjectWithoutAttributesHasNoneNearest() {
        let error = #expect(throws: InvalidFields.self) {
            try FilterParser(limits: Limits()).parse("attributes.x = 1") { _ in
                nil
            } attributeKeyNames: {
                []
            }
        }
        #expect(
            error
                == InvalidFields(
                    "filter", "has the unknown attribute key 'x' at 1; the project has no attributes yet"))
    }

    @Test func aKeyLongerThanAnyHasNoneNearest() {
        let sentence = FilterFixture.refusal("attributes.\(String(repeating: "k", count: 129)) = 1")?.description ?? ""
        #expect(sentence.hasSuffix("k…' at 1; a key has at most 128 characters"))
    }

    @Test func echoesOfLongTextsAreCut() {
        let long = String(repeating: "x", count: 8_000)
        for text in [
            long, "\(long) = 1", "attributes.\(long) = 1", "attributes.\(long)", "id = \(long)",
            "\(long)(", "\(long) = (1 OR 2)", "attributes.\(long) = 1,2", "id = attributes.\(long)", "'\(long)' = 1",
        ] {
            let sentence = FilterFixture.refusal(text)?.description ?? ""
            #expect(!sentence.isEmpty && sentence.utf8.count < 500, "\(sentence)")
        }
    }
}
