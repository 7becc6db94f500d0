// The door of a method: who may call it is let in, and the others are told why not.

internal import Access
internal import DeviceModel
internal import ProtobufC
package import RPC

/// Decides over the calls of one method.
///
/// What takes a role in a project is decided as soon as the request is read and before anything is looked up; the rest,
/// before that.
package struct AccessGate: Sendable {
    private let method: String
    private let access: MethodAccess?
    private let roles: Roles
    private let audit: AuditLog

    package init(_ method: MethodName, audit: AuditLog) {
        self.method = method.description
        self.access = .of(method)
        self.audit = audit
        switch self.access {
        case .project(let roles), .server(let roles): self.roles = roles
        case .everyone, .anyRole, nil: self.roles = []
        }
    }
}

// MARK: - Methods that name no project

extension AccessGate {
    /// `method`, refusing who may not call it as far as that can be told without its request; where the table does not
    /// have it, everyone.
    package func guarding(_ method: Method) -> Method {
        switch self.access {
        case .everyone, .project: method
        case .anyRole, .server, nil: method.guarded { (context) throws(Status) in try self.admit(context.peer) }
        }
    }

    private func admit(_ peer: Peer) throws(Status) {
        let (isAllowed, want): (Bool, String) =
            switch self.access {
            case .everyone: (true, "")
            case .anyRole: (!peer.rights.grants.somewhere.isEmpty, "a role in some project")
            case .project(let roles), .server(let roles):
                (peer.rights.includeAnyEverywhere(of: roles), "the role \(roles.inWords) in every project")
            case nil: (false, "a rule for it, which the server lacks")
            }
        guard !isAllowed else { return }
        self.audit.refused(peer, AuditLog.Subject(method: self.method))
        throw Self.status("User \(peer.userID) may not call \(self.method): that takes \(want).")
    }
}

// MARK: - Methods that name a project

extension AccessGate {
    /// Lets a request pass, or refuses it.
    ///
    /// - Complexity: one atomic load where the caller has the role in every project.
    @inline(__always)
    func admit<Request: ScopedRequest>(
        _ peer: Peer, _ request: UnsafePointer<Request>
    ) throws(Status) {
        let slug = request.pointee.projectSlug.bytes
        guard peer.rights.includeAny(of: self.roles, in: slug) else {
            throw self.refusal(of: peer, request.pointee, want: self.roles)
        }
        if let role = request.pointee.furtherRole?.included, !peer.rights.includeAny(of: role, in: slug) {
            throw self.refusal(of: peer, request.pointee, want: role)
        }
    }

    /// Asks again for a caller that was let in, since the rules may have changed.
    fileprivate func readmit(_ peer: Peer, in project: String) throws(Status) {
        var slug = project
        let isAllowed = slug.withUTF8 { peer.rights.includeAny(of: self.roles, in: UnsafeRawBufferPointer($0)) }
        guard !isAllowed else { return }
        self.audit.refused(peer, AuditLog.Subject(method: self.method, project: project))
        throw self.status(of: peer, in: project, want: self.roles)
    }

    /// The same sink; where the method is an admin's alone, its outcome goes into the audit.
    func recording(_ reply: ReplySink, _ peer: Peer, _ request: some ScopedRequest) -> ReplySink {
        guard self.roles == .admin else { return reply }
        let subject = AuditLog.Subject(self.method, request)
        return reply.observed { self.audit.ended(peer, subject, $0) }
    }

    private func refusal(of peer: Peer, _ request: some ScopedRequest, want: Roles) -> Status {
        self.audit.refused(peer, AuditLog.Subject(self.method, request))
        let slug = request.projectSlug
        return self.status(of: peer, in: slug.bytes.isEmpty ? Project.defaultSlug : slug.string, want: want)
    }

    private func status(of peer: Peer, in project: String, want: Roles) -> Status {
        Self.status(
            "User \(peer.userID) may not call \(self.method) in project \(quoted(project)): "
                + "that takes the role \(want.inWords)."
        )
    }

    private static func status(_ sentence: String) -> Status {
        Status(.permissionDenied, sentence, reason: "ACCESS_DENIED")
    }
}

/// A caller that was let into a project, for as long as its stream lasts.
struct Admission: Sendable {
    let gate: AccessGate
    let peer: Peer
    let project: String

    /// Asks again, before something more is told or done.
    ///
    /// - Throws: PERMISSION_DENIED where the caller has lost its role meanwhile.
    func renew() throws(Status) {
        try self.gate.readmit(self.peer, in: self.project)
    }
}

extension Roles {
    /// `reader or reporter`.
    fileprivate var inWords: String {
        self.names.joined(separator: " or ")
    }
}
