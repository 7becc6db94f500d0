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
    init(_ filter: borrowing DeviceFilter, window: Int64, now: Timestamp) {
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

    /// The range with its ends, if it is not empty.
    var bounds: ClosedRange<Int64> {
        self.lower...(self.upper == .max ? .max : self.upper - 1)
    }
}
