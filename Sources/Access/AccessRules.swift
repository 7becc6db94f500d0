// All rules together, and what they make of a caller.

/// The rules that a server goes by.
package struct AccessRules: Hashable, Sendable {
    package let rules: [AccessRule]

    package init(_ rules: [AccessRule]) {
        self.rules = rules
    }

    /// What a caller may do by all the rules that are for it.
    ///
    /// - Parameter groupIDs: its group and the supplementary ones.
    package func grants(userID: UInt32, groupIDs: Set<UInt32>) -> Grants {
        var grants = Grants()
        for rule in self.rules {
            let isMeant =
                switch rule.subject {
                case .user(let number): number == userID
                case .group(let number): groupIDs.contains(number)
                case .everyone: true
                }
            if isMeant {
                grants.add(rule.roles, in: rule.projects)
            }
        }
        return grants
    }
}
