// A purge: the set is fixed by a long query, then deleted a step at a time between the mutations of others.

internal import DeviceModel
internal import DeviceQuery
internal import Synchronization

/// A purge with what its caller wants to be asked and told.
private struct Purge: Sendable {
    let purge: DevicePurge
    let project: String
    let identity: MutationRequest.Identity?
    let onlyCounts: Bool
    let isWanted: @Sendable () -> Bool
    let stop: @Sendable (_ stepDuration: Duration) -> (any Error)?
    let completion: @Sendable (Result<Int64, PurgeError>) -> Void
    /// Keeps repeats of a named purge waiting for as long as this one runs.
    var turn: PurgeTurn?

    func request(_ step: PurgeStep, isNamed: Bool, validateOnly: Bool = false) -> MutationRequest {
        MutationRequest(
            project: self.project, mutation: .purgeDevices(self.purge, step), validateOnly: validateOnly,
            identity: isNamed ? self.identity : nil, byteCount: step.ids.count * MemoryLayout<DeviceID>.size)
    }

    func fail(_ error: any Error) {
        self.completion(.failure(PurgeError(cause: error, progress: nil)))
    }
}

extension Registry {
    /// Deletes the devices that match: all that did at one revision, and no others, whatever changes meanwhile.
    ///
    /// They go by id, a group at a time, each of which waits for its turn among the mutations of others.
    /// - Parameters:
    ///   - identity: names the purge, so that a repeat answers how many it deleted; remembered with the last step.
    ///   - onlyCounts: tells how many devices match, and deletes none.
    ///   - isWanted: asked before each part of the work; false ends it without an answer.
    ///   - stop: asked before each step with how long the last one took; an error ends the purge.
    ///   - completion: called once with the count, from any thread.
    package func purge(
        _ purge: DevicePurge,
        in project: String,
        identity: MutationRequest.Identity? = nil,
        onlyCounts: Bool = false,
        isWanted: @escaping @Sendable () -> Bool = { true },
        stop: @escaping @Sendable (_ stepDuration: Duration) -> (any Error)? = { _ in nil },
        completion: @escaping @Sendable (Result<Int64, PurgeError>) -> Void
    ) {
        let purge = Purge(
            purge: purge, project: project, identity: identity, onlyCounts: onlyCounts, isWanted: isWanted, stop: stop,
            completion: completion)
        self.begin(purge)
    }

    private func begin(_ purge: Purge) {
        guard let identity = purge.identity else { return self.select(purge) }
        guard let turn = PurgeTurn(identity.key, self, otherwise: { self.begin(purge) }) else { return }
        var purge = purge
        purge.turn = turn
        // Whether it was carried out before is the writer's to know.
        let question = purge.request(PurgeStep(ids: [], deletedCount: 0), isNamed: true, validateOnly: true)
        self.submitInTurn(question, claim: purge.isWanted) { [purge] result in
            switch result {
            case .success(.purged(let count, isRepeat: true)): purge.completion(.success(count))
            case .success: self.select(purge)
            case .failure(let error): purge.fail(error)
            }
        }
    }

    /// Fixes the set.
    private func select(_ purge: Purge) {
        self.answerInSlices(
            begin: { index in
                guard let project = index.project(slug: purge.project) else {
                    throw RegistryError.projectNotFound(purge.project)
                }
                return try LongQuery(
                    selecting: purge.purge.filter, inPartsOf: self.limits.purgeStepDeviceCountMax, in: project.id,
                    of: index, now: self.now())
            },
            isWanted: purge.isWanted,
            advance: { (query: LongQuery, index: borrowing RegistryIndex) throws -> DeviceSelection? in
                switch query.advance(index, each: { _ in false }, eachGroup: { _ in false }) {
                case .selected(let selection): return selection
                case .projectGone: throw RegistryError.projectNotFound(purge.project)
                case .unfinished, .list, .count: return nil
                }
            },
            completion: { result in
                switch result {
                case .success(let selection): self.purge(selection, of: purge)
                case .failure(let error): purge.fail(error)
                }
            }
        )
    }

    private func purge(_ selection: DeviceSelection, of purge: Purge) {
        let count = Int64(selection.count)
        if let expected = purge.purge.expectedCount, expected != count {
            return purge.fail(
                RegistryError(
                    .failedPrecondition, .expectedCountDiffers,
                    "The filter matches \(counted(selection.count, "device")), not \(expected) as expected; nothing was deleted."
                ))
        }
        guard !purge.onlyCounts else { return purge.completion(.success(count)) }
        self.deleteNext(of: selection, matchedCount: count, deletedCount: 0, stepDuration: .zero, purge)
    }

    private func deleteNext(
        of selection: DeviceSelection, matchedCount: Int64, deletedCount: Int64, stepDuration: Duration, _ purge: Purge
    ) {
        var rest = selection
        let ids = rest.takePart()
        let isLast = rest.count == 0
        guard !ids.isEmpty || purge.identity != nil else { return purge.completion(.success(deletedCount)) }
        let progress = (deletedCount, matchedCount)
        if let error = purge.stop(stepDuration) {
            return purge.completion(.failure(PurgeError(cause: error, progress: progress)))
        }
        let start = ContinuousClock.now
        let step = PurgeStep(ids: ids, deletedCount: deletedCount)
        self.submitInTurn(purge.request(step, isNamed: isLast), claim: purge.isWanted) { [rest] result in
            switch result {
            case .success(.purged(let count, _)) where isLast:
                purge.completion(.success(count))
            case .success(.purged(let count, _)):
                self.deleteNext(
                    of: rest, matchedCount: matchedCount, deletedCount: count,
                    stepDuration: ContinuousClock.now - start, purge)
            case .success:
                preconditionFailure("A step of a purge answers how many devices it deleted.")
            case .failure(let error):
                purge.completion(.failure(PurgeError(cause: error, progress: progress)))
            }
        }
    }
}

/// The named purges that run, each with the repeats that wait for its end.
typealias PurgesUnderWay = Mutex<[RememberedRequest.Key: [@Sendable () -> Void]]>

/// The turn of one of the purges of a name: given back with the last reference, however the purge ends.
private final class PurgeTurn: Sendable {
    private let key: RememberedRequest.Key
    private let registry: Registry

    /// Nil where another one has the turn; `otherwise` is then called when that gives it back.
    init?(_ key: RememberedRequest.Key, _ registry: Registry, otherwise: @escaping @Sendable () -> Void) {
        let isFree = registry.purgesUnderWay.withLock { underWay in
            guard underWay[key] == nil else {
                underWay[key]?.append(otherwise)
                return false
            }
            underWay[key] = []
            return true
        }
        guard isFree else { return nil }
        self.key = key
        self.registry = registry
    }

    deinit {
        let waiting = self.registry.purgesUnderWay.withLock { $0.removeValue(forKey: self.key) } ?? []
        for next in waiting { next() }
    }
}
