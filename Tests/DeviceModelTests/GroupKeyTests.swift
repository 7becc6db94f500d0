// What a count divides devices by.

import DeviceModel
import Testing

@Suite struct GroupKeyTests {
    private func read(_ names: [String]) -> (keys: [GroupKey], violations: [FieldViolation]) {
        var check = FieldCheck()
        let keys = check.groupKeys(names, field: "group_by")
        return (keys, check.violations)
    }

    @Test(arguments: GroupKey.columns + [.attribute("battery"), .attribute("battery level"), .attribute("a/b:c")])
    func everyKeyIsReadByItsName(key: GroupKey) {
        let read = self.read([key.name])
        #expect(read.keys == [key])
        #expect(read.violations.isEmpty)
    }

    @Test func keysKeepTheirOrderAndAttributesAreFolded() {
        #expect(self.read([]).keys == [])
        #expect(self.read(["cohort", "release"]).keys == [.cohort, .release])
        #expect(
            self.read(["attributes.\"Battery Level\"", "activity"]).keys == [.attribute("battery level"), .activity])
    }

    @Test func anUnknownKeyIsNamedBesideTheKnownOnes() {
        let read = self.read(["last_seen", "cohort"])
        #expect(
            read.violations == [
                FieldViolation(
                    field: "group_by[0]",
                    description: """
                        is 'last_seen', which is not a key to group by; known keys are release, hardware_version, \
                        cohort, owner_ref, activity, attributes.<key>
                        """
                )
            ])
        #expect(read.keys == [.cohort])
    }

    @Test(arguments: [["cohort", "cohort"], ["attributes.A", "attributes.\"a\""]])
    func aKeyThatComesAgainIsRefused(names: [String]) {
        let read = self.read(names)
        #expect(read.violations.map(\.field) == ["group_by[1]"])
        #expect(read.violations.first?.description.contains("second time") == true)
    }

    @Test func thirdKeyIsRefusedAndNoMoreAreRead() {
        let read = self.read(["cohort", "release"] + Array(repeating: "!", count: 10_000))
        #expect(
            read.violations == [
                FieldViolation(
                    field: "group_by[2]", description: "is one key too many; devices are grouped by at most 2")
            ])
    }

    @Test(arguments: ["", " ", "Release", "release,cohort", "-release", "attributes", "attributes.", "attributes.a b"])
    func anythingElseIsRefused(name: String) {
        let read = self.read([name])
        #expect(read.keys.isEmpty)
        #expect(read.violations.map(\.field) == ["group_by[0]"])
    }
}
