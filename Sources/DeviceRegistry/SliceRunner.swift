// Where queries run that take longer than the index may be held.

internal import DequeModule
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Runs long queries a slice at a time on a few threads of their own, in turns, so that each goes on while the others do.
///
/// ## Concurrency
/// Any thread starts a query. Its slices follow one another, on whichever lane it was given.
final class SliceRunner: Sendable {
    /// Does a slice, and tells whether it was the last one.
    typealias Slice = @Sendable () -> Bool

    fileprivate struct State {
        /// Queries in turns, by lane.
        var runningCounts: [Int]
        var waiting: Deque<Slice> = []
    }

    private let lanes: [DispatchQueue]
    private let state: Mutex<State>

    /// More would have the writer tell too many of each change.
    private static let runningCountMaxPerLane = 4

    private static let pauseMicroseconds: UInt32 = 100

    /// - Parameter laneCount: threads at most; half of the processors leave the other half to short calls.
    init(laneCount: Int) {
        self.lanes = (0..<laneCount).map { DispatchQueue(label: "rollcall.queries.\($0)") }
        self.state = Mutex(State(runningCounts: Array(repeating: 0, count: laneCount)))
    }

    /// Runs a query to its end, after those that wait already.
    func run(_ slice: @escaping Slice) {
        let lane = self.state.withLock { state -> Int? in
            guard let lane = state.freestLane(below: Self.runningCountMaxPerLane) else {
                state.waiting.append(slice)
                return nil
            }
            state.runningCounts[lane] += 1
            return lane
        }
        if let lane { self.go(on: lane, slice) }
    }

    private func go(on lane: Int, _ slice: @escaping Slice) {
        self.lanes[lane].async {
            guard slice() else {
                // A processor is shared out in milliseconds: whoever waits for one gets it now, not a dozen slices later.
                usleep(Self.pauseMicroseconds)
                return self.go(on: lane, slice)
            }
            let next = self.state.withLock { state -> Slice? in
                guard let next = state.waiting.popFirst() else {
                    state.runningCounts[lane] -= 1
                    return nil
                }
                return next
            }
            if let next { self.go(on: lane, next) }
        }
    }
}

extension SliceRunner.State {
    fileprivate func freestLane(below countMax: Int) -> Int? {
        let lane = self.runningCounts.indices.min { self.runningCounts[$0] < self.runningCounts[$1] }
        return lane.flatMap { self.runningCounts[$0] < countMax ? $0 : nil }
    }
}
