// The rules that hold whatever is configured, and those that hold where nothing is.

internal import Access
internal import Glibc

extension AccessRules {
    /// Root and the daemon's own user may do everything. For the others the configured rules hold, or, where none are,
    /// one: the socket's group writes.
    ///
    /// - Parameter passedGroupID: the group of the socket that the service manager made; nil where the daemon makes it.
    /// - Throws: ``DaemonError`` with `start` where the socket's group is not known.
    init(_ configuration: DaemonConfiguration, passedGroupID: UInt32? = nil) throws(DaemonError) {
        var rules: [AccessRule] = []
        if configuration.trustsOwnUser {
            rules.append(AccessRule("user:0=admin", .user(0), .admin))
            if geteuid() != 0 {
                rules.append(AccessRule("user:\(geteuid())=admin", .user(geteuid()), .admin))
            }
        }
        if let configured = configuration.access {
            rules += configured
        } else {
            let configuredGroupID = try configuration.socketGroupID
            let groupID = passedGroupID ?? configuredGroupID ?? getegid()
            rules.append(AccessRule("group:\(groupID)=writer", .group(groupID), .writer))
        }
        self.init(rules)
    }
}

extension DaemonConfiguration {
    /// The number of the socket's group; nil leaves the process's own.
    ///
    /// - Throws: ``DaemonError`` with `start` where there is no such group.
    var socketGroupID: UInt32? {
        get throws(DaemonError) {
            guard let name = self.socketGroup else {
                return nil
            }
            guard let number = AccountNames.system.groupID(name) else {
                throw DaemonError(.start, "There is no group \(name) for the socket.")
            }
            return number
        }
    }
}
