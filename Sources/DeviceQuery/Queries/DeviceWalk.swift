// Every match of a filter by id, in slices that may lie as far apart as the caller likes.

package import DeviceModel

/// The devices of a project that match a filter, by ascending id, while changes go on between the slices.
///
/// A device that matches throughout is shown exactly once; one that changes meanwhile is shown as it is when the walk comes by, if it
/// matches then. It ends with the last device that there was when it began, however fast others come.
///
/// It keeps the id that it has come to and a compiled filter: it holds up nobody between two slices, and need not be ended.
///
/// - Complexity: a few nanoseconds for a device that does not match, in the order of memory as far as ids and rows rise together.
///
/// ## Concurrency
/// ``advance(_:deviceCount:each:)`` is called by one thread at a time, which holds the index for reading; nothing else touches the
/// walk. That is what makes `@unchecked Sendable` true.
package final class DeviceWalk: @unchecked Sendable {
    package enum Progress: Equatable {
        /// Not through: let others at the index, then go on.
        case unfinished
        case finished
        /// There is no such project any more.
        case projectGone
    }

    private let filter: DeviceFilter
    private let expression: FilterExpression?
    private let project: ProjectID
    private let now: Timestamp
    /// Devices up to this one have been shown or do not match.
    private var lastID: DeviceID
    private var isFinished = false
    /// Where the walk ends.
    private let endID: DeviceID
    private var question: Question?

    /// - Parameters:
    ///   - project: one that exists.
    ///   - now: what activity is counted from.
    ///   - previous: the walk begins after this id.
    /// - Throws: every bad field of the filter at once.
    package init(
        _ filter: DeviceFilter, in project: ProjectID, of index: borrowing RegistryIndex, now: Timestamp,
        after previous: DeviceID = DeviceID(rawValue: 0)
    ) throws(InvalidFields) {
        guard let fleet = index.fleet(project) else {
            preconditionFailure("a walk is asked of a project that does not exist")
        }
        var check = FieldCheck()
        check.filter(filter, valueCountMax: index.limits.filterValueCountMax)
        self.expression = check.expression(filter, in: fleet, of: index)
        try check.finish()
        self.filter = filter
        self.project = project
        self.now = now
        self.lastID = previous
        let deviceCount = fleet.pointee.byID.count
        self.endID = DeviceID(rawValue: deviceCount == 0 ? 0 : fleet.pointee.byID.entry(at: deviceCount - 1).value)
    }

    /// Devices up to this one have been shown as far as they matched, each as it was within one of the slices so far.
    package var reachedID: DeviceID {
        self.isFinished ? self.endID : self.lastID
    }

    /// Goes on for about a slice of time, beginning where it was.
    ///
    /// - Parameters:
    ///   - deviceCount: how many devices to look at; nil for as many as ``LongQuery/sliceNanoseconds`` allows.
    ///   - each: shown every match in turn; false ends the slice before the device that it was given, which then comes first in the
    ///     next one.
    package func advance(
        _ index: borrowing RegistryIndex, deviceCount: Int? = nil, each: (BorrowedDevice) -> Bool
    ) -> Progress {
        guard let fleet = index.fleet(self.project) else { return .projectGone }
        let question = self.question(index, fleet)
        guard !question.isNever, self.lastID < self.endID else {
            self.isFinished = true
            return .finished
        }
        let ranks = fleet.pointee.byID.ranks((self.lastID.rawValue + 1)...self.endID.rawValue)
        let watch = Stopwatch()
        var rest = deviceCount ?? .max
        var progress = Progress.finished
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: question.stepCount) { buffer in
            guard let rows = buffer.baseAddress else { return }
            fleet.pointee.byID.forEachRun(in: ranks, isDescending: false) { run in
                var run = run[...]
                while !run.isEmpty {
                    guard rest > 0, deviceCount != nil || watch.elapsedNanoseconds < LongQuery.sliceNanoseconds else {
                        progress = .unfinished
                        return false
                    }
                    let step = UnsafeBufferPointer(rebasing: run.prefix(min(rest, question.stepCount)))
                    guard self.show(step, question, rows, fleet, each) else {
                        progress = .unfinished
                        return false
                    }
                    run = run.dropFirst(step.count)
                    rest -= step.count
                }
                return true
            }
        }
        self.isFinished = progress == .finished
        return progress
    }

    /// Shows those of some rows that match, and moves on to the last of them; false where `each` refused one.
    private func show(
        _ step: UnsafeBufferPointer<UInt32>, _ question: Question, _ rows: UnsafeMutablePointer<UInt32>,
        _ fleet: UnsafePointer<Fleet>, _ each: (BorrowedDevice) -> Bool
    ) -> Bool {
        guard let first = step.baseAddress else { return true }
        rows.update(from: first, count: step.count)
        let count = question.program.filter(rows, count: step.count, fleet)
        for place in 0..<count { fleet.pointee.prefetch(rows[place]) }
        for place in 0..<count {
            let device = BorrowedDevice(rows[place], of: fleet)
            guard each(device) else { return false }
            self.lastID = device.id
        }
        self.lastID = BorrowedDevice(first[step.count - 1], of: fleet).id
        return true
    }

    // MARK: The filter

    /// The filter compiled for the fleet as it is for as long as its words do not change.
    private final class Question {
        let indexIdentity: UInt64
        let wordVersion: UInt64
        let program: RowProgram
        let isNever: Bool
        /// How many rows are asked between looks at the clock.
        let stepCount: Int

        private static let stepCountMax = 128.0
        private static let stepNanoseconds = 50_000.0

        init(_ condition: Condition, _ index: borrowing RegistryIndex, _ fleet: UnsafePointer<Fleet>) {
            self.indexIdentity = index.identity
            self.wordVersion = fleet.pointee.wordVersion
            self.program = RowProgram(condition)
            self.isNever = condition.isNever
            let cost = max(1, condition.askingCost(.scattered(fleet.pointee.rows.count)))
            self.stepCount = Int(max(1, min(Self.stepCountMax, Self.stepNanoseconds / cost)))
        }
    }

    private func question(_ index: borrowing RegistryIndex, _ fleet: UnsafePointer<Fleet>) -> Question {
        if let question = self.question, question.indexIdentity == index.identity,
            question.wordVersion == fleet.pointee.wordVersion
        {
            return question
        }
        let condition = index.condition(self.filter, self.expression, now: self.now, in: fleet)
        let question = Question(condition, index, fleet)
        self.question = question
        return question
    }
}
