// What fields may hold.

import DeviceModel
import Testing

@Suite struct FieldCheckTests {
    private func refusals(_ body: (inout FieldCheck) -> Void) -> Int {
        var check = FieldCheck()
        body(&check)
        return check.violations.count
    }

    @Test func symbolsHaveTheirOwnCharacters() {
        let cases: [(String, serial: Bool, hardware: Bool, slug: Bool, key: Bool)] = [
            ("ABCD-1234_z", true, true, true, true), ("00:1b.44", true, true, false, true),
            ("rev+b", false, true, false, false),
            ("a/b c", false, false, false, true), ("", false, false, false, false), ("é", false, false, false, false),
            ("a\u{0}", false, false, false, false), (" edge", false, false, false, false),
            ("edge ", false, false, false, false),
            (String(repeating: "x", count: 128), true, true, true, true),
            (String(repeating: "x", count: 129), false, false, false, false),
        ]
        for (text, serial, hardware, slug, key) in cases {
            #expect((self.refusals { $0.serial(text, field: "f") } == 0) == serial, "\(text)")
            #expect((self.refusals { $0.hardwareVersion(text, field: "f") } == 0) == hardware, "\(text)")
            #expect((self.refusals { $0.slug(text, field: "f") } == 0) == slug, "\(text)")
            #expect((self.refusals { $0.attributeKey(text, field: "f") } == 0) == key, "\(text)")
        }
    }

    @Test func charactersAreUnicodeScalars() {
        let emoji = "👩‍👩‍👧‍👦"
        #expect(emoji.count == 1 && emoji.unicodeScalars.count == 7)
        #expect(self.refusals { $0.ownerRef(String(repeating: "é", count: 256), field: "f") } == 0)
        #expect(self.refusals { $0.ownerRef(String(repeating: "é", count: 257), field: "f") } == 1)
        #expect(self.refusals { $0.ownerRef(String(repeating: emoji, count: 37), field: "f") } == 1)
        #expect(self.refusals { $0.ownerRef("", field: "f") } == 1)
        #expect(self.refusals { $0.name("", field: "f") } == 1)
        #expect(self.refusals { $0.name(String(repeating: "n", count: 129), field: "f") } == 1)
        #expect(self.refusals { $0.releaseVersion("", field: "f") } == 1)
        #expect(self.refusals { $0.releaseRevision("", field: "f") } == 0)
        #expect(self.refusals { $0.releaseRevision(String(repeating: "r", count: 129), field: "f") } == 1)
    }

    @Test func valuesAreFiniteAndShort() {
        #expect(self.refusals { $0.attributeValue(.float(.nan), field: "f") } == 1)
        #expect(self.refusals { $0.attributeValue(.float(-.infinity), field: "f") } == 1)
        #expect(self.refusals { $0.attributeValue(.float(-0.0), field: "f") } == 0)
        #expect(self.refusals { $0.attributeValue(.string(String(repeating: "é", count: 2_048)), field: "f") } == 0)
        #expect(self.refusals { $0.attributeValue(.string(String(repeating: "é", count: 2_049)), field: "f") } == 1)
        #expect(self.refusals { $0.attributeValue(.int(.min), field: "f") } == 0)
    }

    @Test func everyBadFieldIsKeptInOrder() throws {
        var check = FieldCheck()
        try check.finish()
        check.serial("!", field: "device.device_serial")
        check.ownerRef("", field: "device.owner_ref")
        check.refuse("page", "must be at least 1")
        #expect(check.violations.map(\.field) == ["device.device_serial", "device.owner_ref", "page"])
        #expect(throws: InvalidFields(check.violations)) { try check.finish() }
        #expect(check.violations[0].description.contains("'!'"))
    }
}
