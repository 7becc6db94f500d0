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

    @Test(arguments: SortKey.Field.allCases)
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
}
