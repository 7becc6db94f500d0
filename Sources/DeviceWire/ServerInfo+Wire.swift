// rollcall.v1.GetServerInfoResponse.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension Arena {
    /// `info` as a message; its uptime is truncated to microseconds.
    package func message(_ info: ServerInfo) -> UnsafeMutablePointer<Rollcall__V1__GetServerInfoResponse> {
        let message = self.make(Messages.getServerInfoResponse)
        message.pointee.version = self.text(info.version)
        message.pointee.store_id = self.text(info.storeID)
        message.pointee.revision = info.revision
        message.pointee.uptime = self.message(info.uptime)
        let caller = self.make(Messages.caller)
        caller.pointee.uid = info.caller.userID
        caller.pointee.gid = info.caller.groupID
        caller.pointee.pid = info.caller.processID
        self.fill(caller, groupsAndRolesOf: info.caller)
        message.pointee.caller = caller
        message.pointee.n_limits = info.limits.count
        message.pointee.limits = self.pointers(info.limits) { limit in
            let limitMessage = self.make(Messages.limit)
            limitMessage.pointee.name = self.text(limit.name)
            limitMessage.pointee.value = limit.value
            limitMessage.pointee.unit = self.text(limit.unit)
            return limitMessage
        }
        message.pointee.n_memory = info.memory.count
        message.pointee.memory = self.pointers(info.memory) { self.message($0) }
        message.pointee.store = self.message(info.store)
        return message
    }

    private func message(_ state: ServerInfo.StoreState) -> UnsafeMutablePointer<Rollcall__V1__StoreStatus> {
        let message = self.make(Messages.storeStatus)
        switch state {
        case .ready:
            message.pointee.state = ROLLCALL__V1__STORE_STATE__STORE_STATE_READY
        case .checking:
            message.pointee.state = ROLLCALL__V1__STORE_STATE__STORE_STATE_CHECKING
        case .failing(let reason):
            message.pointee.state = ROLLCALL__V1__STORE_STATE__STORE_STATE_FAILING
            message.pointee.reason = self.text(reason)
        case .closed(let reason):
            message.pointee.state = ROLLCALL__V1__STORE_STATE__STORE_STATE_CLOSED
            message.pointee.reason = self.text(reason)
        }
        return message
    }

    private func fill(
        _ message: UnsafeMutablePointer<Rollcall__V1__Caller>, groupsAndRolesOf caller: ServerInfo.Caller
    ) {
        message.pointee.n_groups = caller.groupIDs.count
        message.pointee.groups = self.numbers(caller.groupIDs)
        message.pointee.n_roles = caller.roles.count
        message.pointee.roles = self.pointers(caller.roles) { granted in
            let grantedMessage = self.make(Messages.grantedRoles)
            grantedMessage.pointee.project = self.text(granted.project ?? "")
            grantedMessage.pointee.n_roles = granted.roles.count
            grantedMessage.pointee.roles = self.makeTextArray(count: granted.roles.count)
            for (roleIndex, role) in granted.roles.enumerated() {
                grantedMessage.pointee.roles[roleIndex] = self.text(role)
            }
            return grantedMessage
        }
    }

    /// What one part of the index takes, as a message.
    func message(_ figure: ServerInfo.MemoryFigure) -> UnsafeMutablePointer<Rollcall__V1__MemoryFigure> {
        let message = self.make(Messages.memoryFigure)
        message.pointee.name = self.text(figure.name)
        message.pointee.bytes = figure.byteCount
        return message
    }
}

extension ServerInfo {
    /// - Throws: ``WireValueError`` where `uptime` or `caller` is absent, or the former out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__GetServerInfoResponse>) throws(WireValueError) {
        let message = message.pointee
        let uptime = try microseconds(of: required(message.uptime, "uptime"), field: "uptime")
        let caller = try required(message.caller, "caller").pointee
        self.init(
            version: message.version.string,
            storeID: message.store_id.string,
            revision: message.revision,
            uptime: .microseconds(uptime),
            caller: Caller(caller),
            limits: elements(message.limits, count: message.n_limits).map {
                Limit(name: $0.pointee.name.string, value: $0.pointee.value, unit: $0.pointee.unit.string)
            },
            memory: elements(message.memory, count: message.n_memory).map {
                MemoryFigure(name: $0.pointee.name.string, byteCount: $0.pointee.bytes)
            },
            // A server from before the field says nothing of its store, and is taken to be well.
            store: message.store.map { StoreState($0.pointee) } ?? .ready
        )
    }
}

extension ServerInfo.StoreState {
    fileprivate init(_ message: Rollcall__V1__StoreStatus) {
        switch message.state {
        case ROLLCALL__V1__STORE_STATE__STORE_STATE_CHECKING: self = .checking
        case ROLLCALL__V1__STORE_STATE__STORE_STATE_FAILING: self = .failing(reason: message.reason.string)
        case ROLLCALL__V1__STORE_STATE__STORE_STATE_CLOSED: self = .closed(reason: message.reason.string)
        default: self = .ready
        }
    }
}

extension ServerInfo.Caller {
    fileprivate init(_ message: Rollcall__V1__Caller) {
        self.init(
            userID: message.uid,
            groupID: message.gid,
            processID: message.pid,
            groupIDs: Array(UnsafeBufferPointer(start: message.groups, count: message.n_groups)),
            roles: elements(message.roles, count: message.n_roles).map { granted in
                let slug = granted.pointee.project.string
                let roles = UnsafeBufferPointer(start: granted.pointee.roles, count: granted.pointee.n_roles)
                return ServerInfo.GrantedRoles(project: slug.isEmpty ? nil : slug, roles: roles.map(\.string))
            }
        )
    }
}
