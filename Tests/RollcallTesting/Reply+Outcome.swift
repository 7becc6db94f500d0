// The outcome of a call that is answered later, for whoever calls a method without a transport.

package import RPC
internal import Synchronization

extension Reply {
    /// Begins a call and waits for its reply.
    ///
    /// - Throws: the status that it is answered with.
    package static func outcome(_ begin: (ReplySink) -> Void) async throws -> Reply {
        // By way of a mutex: the thread sanitizer does not see that who resumes comes before who is resumed at once.
        let outcome = Mutex<Result<Reply, Status>>(.failure(.defect("The call has no outcome.")))
        await withCheckedContinuation { continuation in
            begin(
                ReplySink(claim: CallClaim()) { result in
                    outcome.withLock { $0 = result }
                    continuation.resume()
                })
        }
        return try outcome.withLock { $0 }.get()
    }
}
