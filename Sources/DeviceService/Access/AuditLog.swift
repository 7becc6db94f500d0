// Who was refused, and what admins changed, in the log.

internal import DeviceModel
internal import DeviceWire
internal import FoundationEssentials
package import Logging
package import NIOCore
internal import ProtobufC
internal import RPC
internal import Synchronization

/// Writes a line for every refused call, and for every call of a method that is an admin's alone and changes something.
///
/// All lines bear `audit` in their metadata. Refusals of one user are told a hundred times a minute; those beyond it
/// are counted, and the minute's end tells how many there were.
///
/// ## Concurrency
/// Any thread; lines are written after the mutex is let go.
package final class AuditLog: Sendable {
    /// The minute that a user's refusals are counted in.
    private struct Minute {
        let end: NIODeadline
        var refusalCount = 0

        var untoldCount: Int { max(0, self.refusalCount - Limits.auditedRefusalCountMaxPerMinute) }
    }

    private let logger: Logger
    private let now: @Sendable () -> NIODeadline
    private let minutes = Mutex<[UInt32: Minute]>([:])

    /// - Parameter now: A clock that only moves on.
    package init(logger: Logger, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.logger = logger
        self.now = now
    }

    /// Tells the refusals that were counted only, of every minute that is over.
    ///
    /// - Parameter isEnding: Whether the present minute's are told as well, because there will be no later.
    package func tellUntoldRefusals(isEnding: Bool = false) {
        let now = self.now()
        let over = self.minutes.withLock { minutes in
            let over = minutes.filter { isEnding || $1.end <= now }
            for userID in over.keys { minutes[userID] = nil }
            return over
        }
        for (userID, minute) in over.sorted(by: { $0.key < $1.key }) {
            self.tellUntold(minute.untoldCount, userID)
        }
    }

    /// A call was refused, for want of a role.
    func refused(_ peer: Peer, _ subject: @autoclosure () -> Subject) {
        let now = self.now()
        let (untoldCount, isTold) = self.minutes.withLock { minutes in
            var minute = minutes[peer.userID] ?? Minute(end: now + .minutes(1))
            var untoldCount = 0
            if minute.end <= now {
                untoldCount = minute.untoldCount
                minute = Minute(end: now + .minutes(1))
            }
            minute.refusalCount += 1
            minutes[peer.userID] = minute
            return (untoldCount, minute.untoldCount == 0)
        }
        self.tellUntold(untoldCount, peer.userID)
        if isTold {
            self.logger.notice("call refused", metadata: subject().metadata("refused", peer, .permissionDenied))
        }
    }

    /// A call that only admins may make has ended.
    func ended(_ peer: Peer, _ subject: Subject, _ code: Status.Code) {
        self.logger.notice("admin's call ended", metadata: subject.metadata("admin", peer, code))
    }

    private func tellUntold(_ count: Int, _ userID: UInt32) {
        guard count > 0 else { return }
        self.logger.notice(
            "more calls refused",
            metadata: ["audit": "refused", "peer.uid": "\(userID)", "count": "\(count)"]
        )
    }

    /// What a call was about.
    struct Subject: Sendable {
        let method: String
        /// Empty = the request names none.
        var project = ""
        /// Empty = the request has none.
        var requestID = ""

        fileprivate func metadata(_ kind: String, _ peer: Peer, _ code: Status.Code) -> Logger.Metadata {
            [
                "audit": "\(kind)", "peer.uid": "\(peer.userID)", "peer.pid": "\(peer.processID)",
                "method": "\(self.method)", "project": "\(self.project.isEmpty ? "-" : self.project)",
                "request_id": "\(self.requestID.isEmpty ? "-" : self.requestID)", "code": "\(code)",
            ]
        }
    }
}

extension AuditLog.Subject {
    /// What a request names; the caller's texts only where they are what they should be, lest it writes lines of its
    /// own.
    init(_ method: String, _ request: some ScopedRequest) {
        self.init(method: method)
        var check = FieldCheck()
        let slug = check.project(request.projectSlug)
        self.project = check.violations.isEmpty ? slug : "invalid"
        if !request.request_id.bytes.isEmpty {
            self.requestID = check.requestID(request.request_id)?.uuidString.lowercased() ?? "invalid"
        }
    }
}
