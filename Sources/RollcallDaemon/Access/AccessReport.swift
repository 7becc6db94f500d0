// What a user may do, for an operator who has written rules.

internal import Access

/// The answer to `--check-access`.
package enum AccessReport {
    /// What a user may do under a configuration, as a few lines.
    ///
    /// - Parameter user: name or number.
    /// - Throws: ``DaemonError`` with `configuration` where there is no such user.
    package static func text(
        on user: String, under configuration: DaemonConfiguration
    ) throws(DaemonError) -> String {
        guard let account = Account.find(user) else {
            throw DaemonError(
                .configuration, "--check-access must be the name or number of a user; this system knows no \"\(user)\"."
            )
        }
        let rules = try AccessRules(configuration)
        let groups = account.groups.map(\.description).joined(separator: ", ")
        let title = "\(account.user), \(groups.isEmpty ? "in no group" : "in \(groups)")"
        return title + "\n\n" + Self.table(rules.grants(userID: account.user.number, groupIDs: account.groupIDs))
    }

    private static func table(_ grants: Grants) -> String {
        let everywhere = grants.everywhere.isEmpty ? [] : [("(every)", grants.everywhere)]
        let rows = everywhere + grants.projects.map { ($0.slug, $0.roles) }
        guard !rows.isEmpty else {
            return "No rule gives it a role: all it may ask for is GetServerInfo, health and reflection.\n"
        }
        let cells = [("PROJECT", "ROLES", "MAY")] + rows.map { ($0, $1.names.joined(separator: "+"), $1.inWords) }
        let widths = (cells.map { $0.0.count }.max() ?? 0, cells.map { $0.1.count }.max() ?? 0)
        return cells.map { project, roles, may in
            Self.padded(project, widths.0) + "  " + Self.padded(roles, widths.1) + "  \(may)\n"
        }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Account {
    fileprivate var groupIDs: Set<UInt32> {
        Set(self.groups.map(\.number))
    }
}

extension Roles {
    /// What whoever has them may do.
    fileprivate var inWords: String {
        if self.contains(.admin) { return "everything" }
        if self.contains(.writer) { return "read and change devices and cohorts" }
        var parts: [String] = []
        if self.contains(.reader) { parts.append("get, list, count, export and watch devices, list what they share") }
        if self.contains(.reporter) { parts.append("get a device, check in, read and set attributes") }
        if self.contains(.mayRegister) { parts.append("register by check-in") }
        return parts.joined(separator: "; ")
    }
}
