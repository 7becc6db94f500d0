import Access
import Testing

@Suite struct AccessRuleTests {
    /// A system of three accounts, which takes digits for numbers.
    private static let names = AccountNames(
        userID: { ["alice": 1_001, "DOMAIN\\bob": 1_002, "carol@example.com": 1_003][$0] ?? UInt32($0) },
        groupID: { ["ops": 2_001][$0] ?? UInt32($0) }
    )

    private func refusal(_ text: String) -> String? {
        do throws(AccessRuleError) {
            _ = try AccessRule(text, names: Self.names)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        arguments: [
            ("user:alice=writer", .user(1_001), ["writer"], []),
            ("user:1001=writer", .user(1_001), ["writer"], []),
            ("user:DOMAIN\\bob=reader", .user(1_002), ["reader"], []),
            ("user:carol@example.com=reader@lab", .user(1_003), ["reader"], ["lab"]),
            ("group:ops=admin", .group(2_001), ["admin"], []),
            ("everyone=reader@default", .everyone, ["reader"], ["default"]),
            (
                "user:alice=reporter+may_register@lab,shop", .user(1_001), ["reporter", "may_register"],
                ["lab", "shop"]
            ),
            ("group:0=reader+reporter+reader", .group(0), ["reader", "reporter"], []),
            ("everyone=admin+reader", .everyone, ["admin"], []),
        ] as [(String, AccessRule.Subject, [String], [String])])
    func aRuleIsReadAsItIsMeant(
        text: String, subject: AccessRule.Subject, roles: [String], projects: [String]
    ) throws {
        let rule = try AccessRule(text, names: Self.names)
        #expect(rule.subject == subject)
        #expect(rule.roles.names == roles)
        #expect(rule.projects == projects)
        #expect(rule.text == text)
    }

    @Test(arguments: [
        ("", "The rule \"\" has no \"=\"; one reads WHO=ROLES or WHO=ROLES@PROJECTS."),
        ("user:alice", "The rule \"user:alice\" has no \"=\"; one reads WHO=ROLES or WHO=ROLES@PROJECTS."),
        (
            "alice=reader",
            "The rule \"alice=reader\" is for \"alice\"; it takes user:NAME, group:NAME or everyone."
        ),
        (
            "everyone:x=reader",
            "The rule \"everyone:x=reader\" is for \"everyone:x\"; it takes user:NAME, group:NAME or everyone."
        ),
        (
            " user:alice=reader",
            "The rule \" user:alice=reader\" is for \" user:alice\"; it takes user:NAME, group:NAME or everyone."
        ),
        ("user:eve=reader", "The rule \"user:eve=reader\" is for a user \"eve\", whom this system does not know."),
        ("group:eve=reader", "The rule \"group:eve=reader\" is for a group \"eve\", which this system does not know."),
        ("user:=reader", "The rule \"user:=reader\" is for a user \"\", whom this system does not know."),
        (
            "everyone=write",
            "The rule \"everyone=write\" gives the role \"write\", which there is not; the nearest is \"writer\"."
        ),
        (
            "everyone=",
            "The rule \"everyone=\" gives the role \"\", which there is not; there are reader, reporter, may_register, writer, admin."
        ),
        (
            "everyone=reader+@lab",
            "The rule \"everyone=reader+@lab\" gives the role \"\", which there is not; there are reader, reporter, may_register, writer, admin."
        ),
        (
            "everyone=may_register",
            "The rule \"everyone=may_register\" gives may_register alone; it goes with a reporter, as in reporter+may_register."
        ),
        (
            "everyone=reader@",
            "The rule \"everyone=reader@\" names a project \"\", which must not be empty; it takes 1 to 128 of [-A-Za-z0-9_]."
        ),
        (
            "everyone=reader@lab,b d",
            "The rule \"everyone=reader@lab,b d\" names a project \"b d\", which must not hold ' '; it takes 1 to 128 of [-A-Za-z0-9_]."
        ),
    ])
    func aTextThatIsNoRuleIsRefusedWithWhatWouldBeRight(text: String, sentence: String) {
        #expect(self.refusal(text) == sentence)
    }

    @Test func aRuleMayHave4096BytesAndNoMore() {
        let longest = "everyone=reader@" + String(repeating: "a,", count: 2_039) + "bb"
        #expect(longest.utf8.count == 4_096)
        #expect(self.refusal(longest) == nil)
        #expect(self.refusal(longest + "b")?.hasSuffix("has 4097 bytes; it may have 4096.") == true)
    }
}

@Suite struct RightsTests {
    private static let rules: AccessRules = {
        let names = AccountNames(userID: { UInt32($0) }, groupID: { UInt32($0) })
        let texts = [
            "user:1=admin", "user:2=reporter@lab", "group:10=reader", "group:11=writer@lab,shop",
            "everyone=reader@default",
        ]
        return AccessRules(texts.compactMap { try? AccessRule($0, names: names) })
    }()

    /// The grants as rules have them.
    private func text(_ grants: Grants) -> [String] {
        (grants.everywhere.isEmpty ? [] : [grants.everywhere.names.joined(separator: "+")])
            + grants.projects.map { "\($0.roles.names.joined(separator: "+"))@\($0.slug)" }
    }

    @Test(
        arguments: [
            (1, [], ["admin"]),
            (2, [], ["reader@default", "reporter@lab"]),
            (2, [10], ["reader", "reader+reporter@lab"]),
            (2, [11], ["reader@default", "writer@lab", "writer@shop"]),
            (3, [], ["reader@default"]),
            (3, [10, 11], ["reader", "writer@lab", "writer@shop"]),
        ] as [(UInt32, Set<UInt32>, [String])])
    func whatRulesGiveAddsUp(userID: UInt32, groupIDs: Set<UInt32>, grants: [String]) {
        #expect(self.text(Self.rules.grants(userID: userID, groupIDs: groupIDs)) == grants)
    }

    private func allows(_ rights: CallerRights, _ roles: Roles, _ slug: String) -> Bool {
        Array(slug.utf8).withUnsafeBytes { rights.includeAny(of: roles, in: $0) }
    }

    @Test func anEmptySlugIsTheDefaultProjectAndAnotherOnesBeginningIsNot() {
        let rights = CallerRights(Self.rules.grants(userID: 2, groupIDs: [11]))
        #expect(self.allows(rights, .reader, ""))
        #expect(self.allows(rights, .reader, "default"))
        #expect(!self.allows(rights, .writer, ""))
        #expect(self.allows(rights, .writer, "lab"))
        #expect(!self.allows(rights, .reader, "la"))
        #expect(!self.allows(rights, .reader, "labs"))
        #expect(!self.allows(rights, .reader, "LAB"))
    }

    @Test func rightsThatAreReplacedAreAskedAnew() {
        let rights = CallerRights(Grants(everywhere: .writer))
        #expect(self.allows(rights, .reader, "lab"))
        rights.replace(Grants())
        #expect(!self.allows(rights, .all, "lab"))
        #expect(!rights.includeAnyEverywhere(of: .all))
    }

    @Test(arguments: Role.allCases)
    func whoeverHasARoleHasWhatItIncludes(role: Role) {
        let included: [Role: [Role]] = [
            .reader: [.reader], .reporter: [.reporter], .mayRegister: [.mayRegister],
            .writer: [.reader, .reporter, .mayRegister, .writer], .admin: Role.allCases,
        ]
        #expect(Role.allCases.filter { role.included.includes($0) } == included[role])
        #expect(role.included.names == [role.rawValue])
    }
}
