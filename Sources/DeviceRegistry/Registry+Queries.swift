// Queries that take longer than the index may be held, and indexes that are built for those to come.

package import DeviceQuery
internal import Synchronization

extension Registry {
    /// Answers a query in slices, on a thread of its own, while others read and write in between.
    ///
    /// - Parameters:
    ///   - answer: called first and once, where there is one, under the shared lock: the answer of a query that does not take long,
    ///     or nil where it does.
    ///   - begin: makes the query; called once, under the shared lock.
    ///   - isWanted: asked before each slice; false ends the query without an answer.
    ///   - advance: goes on with the query under the shared lock; nil where it is not through.
    ///   - completion: called once with the answer, or with what `answer`, `begin` or `advance` threw.
    package func answerInSlices<Answer: Sendable>(
        answer: (@Sendable (borrowing RegistryIndex) throws -> Answer?)? = nil,
        begin: @escaping @Sendable (borrowing RegistryIndex) throws -> LongQuery,
        isWanted: @escaping @Sendable () -> Bool,
        advance: @escaping @Sendable (LongQuery, borrowing RegistryIndex) throws -> Answer?,
        completion: @escaping @Sendable (Result<Answer, any Error>) -> Void
    ) {
        let call = LongCall()
        self.runner.run {
            guard isWanted() else {
                self.read { call.query?.cancel($0) }
                return true
            }
            let result = Result<Answer?, any Error> {
                try self.read { (index: borrowing RegistryIndex) throws -> Answer? in
                    if let answer, !call.isKnownLong {
                        // Where it is not, the long query has its first slice in a hold of its own.
                        call.isKnownLong = true
                        return try answer(index)
                    }
                    let query = try call.query ?? begin(index)
                    call.query = query
                    return try advance(query, index)
                }
            }
            switch result {
            case .success(let answer?):
                completion(.success(answer))
            case .failure(let error):
                completion(.failure(error))
            case .success(nil):
                return false
            }
            return true
        }
    }

    /// Builds an index for the queries to come, in steps between the groups of the writer.
    ///
    /// One at a time: while another one is under way this does nothing, and the next query that has a use for it asks again.
    package func build(_ wanted: WantedIndex) {
        let isFree = self.indexUnderWay.withLock { underWay in
            defer { underWay = underWay ?? wanted }
            return underWay == nil
        }
        guard isFree else { return }
        self.continueBuilding(wanted)
    }

    private func continueBuilding(_ wanted: WantedIndex) {
        self.onWriterQueue {
            if self.buildStep(wanted) {
                self.indexUnderWay.withLock { $0 = nil }
            } else {
                self.continueBuilding(wanted)
            }
        }
    }
}

/// Where a query's answer stands.
private final class LongCall: @unchecked Sendable {
    // Touched by one slice after another; the runner lets them follow one another.
    var query: LongQuery?
    /// Whether a short answer was tried.
    var isKnownLong = false
}
