// What a connected caller may do, asked on every call.

internal import Synchronization

/// The rights of whoever is at the other end of a connection, as the rules stand now.
///
/// ## Concurrency
/// Asked from any thread; replaced when the rules are read again. Whoever has a role in every project is answered from
/// an atomic, the others under a mutex of their own, which only a change of the rules contends for.
package final class CallerRights: Sendable {
    /// The caller's supplementary groups, by which the rules know it beside its user and group.
    package let groupIDs: [UInt32]
    private let everywhere: Atomic<UInt8>
    private let state: Mutex<Grants>

    package init(groupIDs: [UInt32] = [], _ grants: Grants = Grants()) {
        self.groupIDs = groupIDs
        self.everywhere = Atomic(grants.everywhere.rawValue)
        self.state = Mutex(grants)
    }

    /// All of them, for whoever lists them.
    package var grants: Grants {
        self.state.withLock { $0 }
    }

    /// Puts others in their place; what was asked before stands.
    package func replace(_ grants: Grants) {
        self.state.withLock { state in
            state = grants
            self.everywhere.store(grants.everywhere.rawValue, ordering: .relaxed)
        }
    }

    /// Whether the caller has one of `roles` in every project.
    package func includeAnyEverywhere(of roles: Roles) -> Bool {
        self.everywhere.load(ordering: .relaxed) & roles.rawValue != 0
    }

    /// Whether the caller has one of `roles` in a project; an empty slug means the default one.
    package func includeAny(of roles: Roles, in slug: UnsafeRawBufferPointer) -> Bool {
        self.includeAnyEverywhere(of: roles)
            || self.state.withLock { !$0.roles(in: slug).isDisjoint(with: roles) }
    }
}
