// The rules in force, and everybody they are in force for.

internal import Access
internal import Synchronization

/// Tells each caller its rights when it connects, and again when the rules change.
///
/// ## Concurrency
/// Callers come and go on their event loops while rules change from anywhere. Rights are given under the mutex, so that
/// nobody who comes during a change keeps what the old rules gave.
final class AccessControl: Sendable {
    private struct Caller {
        let rights: CallerRights
        let userID: UInt32
        let groupIDs: Set<UInt32>
    }

    private struct State {
        var rules: AccessRules
        var callers: [ObjectIdentifier: Caller] = [:]
    }

    private let state: Mutex<State>

    init(_ rules: AccessRules) {
        self.state = Mutex(State(rules: rules))
    }

    /// The rights of somebody who has connected, kept up to date until it has ``left(_:)``.
    func arrived(_ credentials: PeerCredentials) -> CallerRights {
        let rights = CallerRights(groupIDs: credentials.groupIDs)
        let groupIDs = Set(credentials.groupIDs).union([credentials.groupID])
        self.state.withLock { state in
            rights.replace(state.rules.grants(userID: credentials.userID, groupIDs: groupIDs))
            state.callers[ObjectIdentifier(rights)] = Caller(
                rights: rights, userID: credentials.userID, groupIDs: groupIDs)
        }
        return rights
    }

    /// Somebody has gone.
    func left(_ rights: CallerRights) {
        self.state.withLock { _ = $0.callers.removeValue(forKey: ObjectIdentifier(rights)) }
    }

    /// Puts other rules in force, for those who are connected as well; answers for how many of them that changed
    /// something.
    func apply(_ rules: AccessRules) -> Int {
        self.state.withLock { state in
            state.rules = rules
            var count = 0
            for caller in state.callers.values {
                let grants = rules.grants(userID: caller.userID, groupIDs: caller.groupIDs)
                if grants != caller.rights.grants {
                    caller.rights.replace(grants)
                    count += 1
                }
            }
            return count
        }
    }
}
