// One rule of who may call, from its text.

internal import DeviceModel

/// Gives roles to a user, a group or everyone, in every project or in some.
///
/// Its text is `WHO=ROLE+ROLE@PROJECT,PROJECT`. WHO is `user:NAME`, `group:NAME` or `everyone`, a number doing for a
/// name; without `@` the roles hold in every project.
package struct AccessRule: Hashable, Sendable {
    /// Who a rule is for, by the kernel's numbers.
    package enum Subject: Hashable, Sendable {
        case user(UInt32)
        case group(UInt32)
        case everyone
    }

    /// As it was written.
    package let text: String
    package let subject: Subject
    /// With those that they include.
    package let roles: Roles
    /// Slugs of projects; empty = every project.
    package let projects: [String]

    /// A rule that no one wrote.
    package init(_ text: String, _ subject: Subject, _ role: Role) {
        self.text = text
        self.subject = subject
        self.roles = role.included
        self.projects = []
    }

    /// Reads a rule.
    ///
    /// - Throws: ``AccessRuleError`` with what is wrong and what would be right.
    package init(_ text: String, names: AccountNames) throws(AccessRuleError) {
        guard text.utf8.count <= Limits.accessRuleByteCountMax else {
            throw AccessRuleError(
                text, "has \(text.utf8.count) bytes; it may have \(Limits.accessRuleByteCountMax)")
        }
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else {
            throw AccessRuleError(text, "has no \"=\"; one reads WHO=ROLES or WHO=ROLES@PROJECTS")
        }
        let grant = sides[1].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        self.text = text
        self.subject = try Self.subject(sides[0], of: text, names)
        self.roles = try Self.roles(grant[0], of: text)
        self.projects = grant.count == 1 ? [] : try Self.projects(grant[1], of: text)
    }

    private static func subject(
        _ who: Substring, of text: String, _ names: AccountNames
    ) throws(AccessRuleError) -> Subject {
        let parts = who.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("everyone", 1):
            return .everyone
        case ("user", 2):
            guard let number = names.userID(String(parts[1])) else {
                throw AccessRuleError(text, "is for a user \"\(parts[1])\", whom this system does not know")
            }
            return .user(number)
        case ("group", 2):
            guard let number = names.groupID(String(parts[1])) else {
                throw AccessRuleError(text, "is for a group \"\(parts[1])\", which this system does not know")
            }
            return .group(number)
        default:
            throw AccessRuleError(text, "is for \"\(who)\"; it takes user:NAME, group:NAME or everyone")
        }
    }

    private static func roles(_ list: Substring, of text: String) throws(AccessRuleError) -> Roles {
        var roles: Roles = []
        for name in list.split(separator: "+", omittingEmptySubsequences: false) {
            guard let role = Role(rawValue: String(name)) else {
                let known = Role.allCases.map(\.rawValue)
                let nearest = name.isEmpty ? nil : String(name).nearest(of: known, effortMax: 10_000)?.name
                throw AccessRuleError(
                    text,
                    "gives the role \"\(name)\", which there is not"
                        + (nearest.map { "; the nearest is \"\($0)\"" }
                            ?? "; there are \(known.joined(separator: ", "))")
                )
            }
            roles.formUnion(role.included)
        }
        guard roles.contains(.reporter) || !roles.contains(.mayRegister) else {
            throw AccessRuleError(
                text, "gives may_register alone; it goes with a reporter, as in reporter+may_register")
        }
        return roles
    }

    private static func projects(_ list: Substring, of text: String) throws(AccessRuleError) -> [String] {
        var projects: [String] = []
        for slug in list.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            var check = FieldCheck()
            check.slug(slug, field: "")
            if let violation = check.violations.first {
                throw AccessRuleError(text, "names a project \"\(slug)\", which \(violation.description)")
            }
            projects.append(slug)
        }
        return projects
    }
}

/// Looks users and groups up; the system's own, or a test's.
package struct AccountNames: Sendable {
    /// The number of a user by its name, or by a number in digits; nil where there is none.
    package let userID: @Sendable (String) -> UInt32?
    /// The same of a group.
    package let groupID: @Sendable (String) -> UInt32?

    package init(
        userID: @escaping @Sendable (String) -> UInt32?, groupID: @escaping @Sendable (String) -> UInt32?
    ) {
        self.userID = userID
        self.groupID = groupID
    }
}

/// Why a text is no rule.
package struct AccessRuleError: Error, Hashable, CustomStringConvertible {
    /// A sentence that names the rule, what is wrong with it, and what would be right.
    package let description: String

    /// - Parameter problem: goes on after the rule.
    init(_ text: String, _ problem: String) {
        let shown = text.count <= 128 ? text : "\(text.prefix(128))…"
        self.description = "The rule \"\(shown)\" \(problem)."
    }
}
