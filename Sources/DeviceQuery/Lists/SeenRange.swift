// Every condition on the time of the last check-in, as one range.

internal import DeviceModel

/// A half-open range of `last_seen` as rows keep it, never seen being the smallest value of all.
struct SeenRange: BitwiseCopyable {
    private(set) var lower = Int64.min
    /// No time reaches `Int64.max`, so that as a bound it excludes nothing.
    private(set) var upper = Int64.max

    /// - Parameters:
    ///   - window: what counts as recent, in microseconds.
    ///   - now: what it is counted back from.
    init(_ filter: DeviceFilter, window: Int64, now: Timestamp) {
        let firstSeen = DeviceRow.neverSeen + 1
        if let since = filter.lastSeenSince {
            self.lower = since.microseconds + 1
        }
        if let until = filter.lastSeenUntil {
            self.lower = max(self.lower, firstSeen)
            self.upper = until.microseconds
        }
        let recent = now.advanced(byMicroseconds: -window).microseconds
        switch filter.activity {
        case .pending:
            self.upper = min(self.upper, firstSeen)
        case .active:
            self.lower = max(self.lower, recent)
        case .inactive:
            self.lower = max(self.lower, firstSeen)
            self.upper = min(self.upper, recent)
        case nil:
            break
        }
    }

    var isEverything: Bool { self.lower == .min && self.upper == .max }
    var isEmpty: Bool { self.lower >= self.upper }

    @inline(__always)
    func contains(_ lastSeen: Int64) -> Bool {
        lastSeen >= self.lower && lastSeen < self.upper
    }

    /// Where the range lies in a fleet's order of `last_seen`. - Complexity: O(log n).
    func ranks(in fleet: UnsafePointer<Fleet>) -> Range<Int> {
        if self.isEmpty { return 0..<0 }
        let devices = UnsafePointer(fleet.pointee.rows.base)
        func rank(_ bound: Int64) -> Int {
            fleet.pointee.byLastSeen.rank(OrderKey(value: bound, id: .min), inclusive: false, devices)
        }
        let start = self.lower == .min ? 0 : rank(self.lower)
        let end = self.upper == .max ? fleet.pointee.byLastSeen.count : rank(self.upper)
        return start..<end
    }
}
