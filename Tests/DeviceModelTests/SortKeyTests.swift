// The `sort` field.

import DeviceModel
import Testing

@Suite struct SortKeyTests {
    private func parse(_ text: String) throws(InvalidFields) -> [SortKey] {
        try SortKey.parse(text, field: "sort")
    }

    @Test(arguments: ["", "   "])
    func nothingIsNoKeys(text: String) throws {
        #expect(try self.parse(text) == [])
    }

    @Test(arguments: SortKey.Field.columns)
    func everyKeyIsReadInEveryForm(field: SortKey.Field) throws {
        let up = [SortKey(field)]
        let down = [SortKey(field, isDescending: true)]
        #expect(try self.parse(field.name) == up)
        #expect(try self.parse(" \(field.name)  asc ") == up)
        #expect(try self.parse("-\(field.name)") == down)
        #expect(try self.parse("\(field.name) desc") == down)
    }

    @Test func keysKeepTheirOrderAndRepeatsAreDropped() throws {
        let keys = try self.parse("-last_seen, cohort,id desc,last_seen")
        #expect(keys == [SortKey(.lastSeen, isDescending: true), SortKey(.cohort), SortKey(.id, isDescending: true)])
    }

    @Test func anUnknownKeyIsNamedBesideTheKnownOnes() {
        let error = #expect(throws: InvalidFields.self) { try self.parse("id,-deployed_date") }
        #expect(error?.violations.map(\.field) == ["sort"])
        let sentence = error?.violations.first?.description ?? ""
        #expect(
            sentence.contains("deployed_date") && sentence.contains("last_seen")
                && sentence.contains("hardware_version"))
    }

    @Test(arguments: ["asc", "desc"])
    func aHyphenAndADirectionAreToldApart(direction: String) {
        let error = #expect(throws: InvalidFields.self) { try self.parse("id,-last_seen \(direction)") }
        #expect(
            error?.violations == [
                FieldViolation(
                    field: "sort",
                    description: "gives the direction of 'last_seen' twice, by '-' and by '\(direction)'; give it once")
            ])
    }

    @Test(arguments: [
        ",", "id,", "id desc asc", "--id", "id down", "ID", "+id", "last_seen;id", "desc", "-",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: InvalidFields.self) { try self.parse(text) }
    }

    // MARK: Attributes

    @Test(arguments: [
        ("attributes.battery", "battery"), ("attributes.net.rssi", "net.rssi"), ("attributes.net/if:0", "net/if:0"),
        ("attributes.-", "-"), ("attributes.desc", "desc"), ("attributes..a.", ".a."),
        ("attributes.\"battery\"", "battery"), ("attributes.\"Battery  Level\"", "battery  level"),
        ("attributes.\"asc desc\"", "asc desc"), ("attributes.attributes.x", "attributes.x"),
        ("attributes.\(String(repeating: "K", count: 128))", String(repeating: "k", count: 128)),
    ])
    func anAttributeIsReadInEveryForm(name: String, key: String) throws {
        let field = SortKey.Field.attribute(key)
        #expect(try self.parse(name) == [SortKey(field)])
        #expect(try self.parse("  \(name)   asc") == [SortKey(field)])
        #expect(try self.parse("-\(name)") == [SortKey(field, isDescending: true)])
        #expect(try self.parse("id, \(name) desc,cohort").dropFirst().first == SortKey(field, isDescending: true))
        #expect(try self.parse(field.name) == [SortKey(field)], "a key's own name is read back")
    }

    @Test func attributesAreTheSameInEveryCase() throws {
        let keys = try self.parse("-attributes.Zone,attributes.\"ZONE\",id,attributes.zone desc")
        #expect(keys == [SortKey(.attribute("zone"), isDescending: true), SortKey(.id)])
    }

    @Test(arguments: [
        "attributes", "attributes.", "attributes.\"\"", "attributes.\"", "attributes.\"a", "attributes.a\"",
        "attributes.\"\u{301}a", "attributes.\u{301}a\"", "-\u{301}id", "id,\u{301}id", "attributes.\"a\"b",
        "attributes.a\"b c\"", "attributes.\"a\"\"b\"", "\"attributes.a\"", "attributes.'a b'",
        "attributes.\" a\"", "attributes.\"a \"", "attributes.\"a,b\"", "attributes.a b", "attributes. a",
        "attributes.a\tb", "attributes.é", "attributes.a\u{301}", "attributes\u{301}.a", "Attributes.a",
        "attributes.a=b", "attributes.\"a\" desc asc", "attributes.\"a\"desc", "attributes.\"a b\" down",
        "attributes.\(String(repeating: "k", count: 129))", "id,attributes.\"a", "attributes.\"a\",",
    ])
    func whatNamesNoAttributeIsRefused(text: String) {
        #expect(throws: InvalidFields.self) { try self.parse(text) }
    }

    @Test func aDirectionInQuotesIsPartOfTheKeyAndOneOutsideIsNot() {
        let error = #expect(throws: InvalidFields.self) { try self.parse("-attributes.\"a desc\" asc") }
        #expect(
            error?.violations.first?.description
                == "gives the direction of 'attributes.\"a desc\"' twice, by '-' and by 'asc'; give it once")
    }
}
