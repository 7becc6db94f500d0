// How many calls one user may have in flight over all of its connections.

internal import NIOCore
internal import RPC
internal import Synchronization

/// Bounds the calls in flight by user, around any method.
///
/// What is answered before its event loop reads on is never in flight, and passes untouched.
///
/// ## Concurrency
/// One mutex for all users, taken twice a call that waits for a disk anyway.
final class CallQuota: Sendable {
    private let countMax: Int
    private let limitName: String
    private let counts = Mutex<[UInt32: Int]>([:])

    /// - Parameter limitName: what the bound is called where limits are reported.
    init(countMaxPerUser: Int, limitName: String = "calls_per_uid") {
        self.countMax = countMaxPerUser
        self.limitName = limitName
    }

    /// `method`, refusing with RESOURCE_EXHAUSTED what goes over the quota.
    func limiting(_ method: Method) -> Method {
        switch method.handler {
        case .immediate:
            return method
        case .adaptive(let run):
            return Method(
                method.name,
                .adaptive { context, request, reply throws(Status) in
                    guard let postponed = try run(context, request, &reply) else {
                        return nil
                    }
                    guard let ticket = self.ticket(for: context.peer.userID) else {
                        throw self.refusal
                    }
                    return { postponed($0.holding(ticket)) }
                }
            )
        case .deferred(let run):
            return Method(
                method.name,
                .deferred { context, request, reply in
                    guard let ticket = self.ticket(for: context.peer.userID) else {
                        reply.fail(self.refusal)
                        return
                    }
                    run(context, request, reply.holding(ticket))
                }
            )
        case .stream(let kind, let run):
            return Method(
                method.name,
                .stream(kind) { context, requests, responses in
                    guard let ticket = self.ticket(for: context.peer.userID) else {
                        throw self.refusal
                    }
                    defer { withExtendedLifetime(ticket) {} }
                    try await run(context, requests, responses)
                }
            )
        }
    }

    /// Calls of the user that are in flight now.
    func count(userID: UInt32) -> Int {
        self.counts.withLock { $0[userID, default: 0] }
    }

    private var refusal: Status {
        .limitExceeded("The user has \(self.countMax) such calls in flight, as many as it may (\(self.limitName)).")
    }

    private func ticket(for userID: UInt32) -> Ticket? {
        let isFree = self.counts.withLock { counts in
            guard counts[userID, default: 0] < self.countMax else {
                return false
            }
            counts[userID, default: 0] += 1
            return true
        }
        return isFree ? Ticket(quota: self, userID: userID) : nil
    }

    /// One call's share, given back with the last reference: a call that its caller abandoned is dropped without a
    /// reply.
    fileprivate final class Ticket: Sendable {
        private let quota: CallQuota
        private let userID: UInt32

        init(quota: CallQuota, userID: UInt32) {
            self.quota = quota
            self.userID = userID
        }

        deinit {
            self.quota.counts.withLock { counts in
                let remaining = counts[self.userID, default: 0] - 1
                counts[self.userID] = remaining > 0 ? remaining : nil
            }
        }
    }
}

extension ReplySink {
    /// The same sink, which keeps `ticket` alive for as long as it can be answered.
    fileprivate func holding(_ ticket: CallQuota.Ticket) -> ReplySink {
        ReplySink(claim: self.claim) { result in
            withExtendedLifetime(ticket) {
                switch result {
                case .success(let reply): self.succeed(head: reply.head, trailers: reply.trailers, reply.encode)
                case .failure(let status): self.fail(status)
                }
            }
        }
    }
}
