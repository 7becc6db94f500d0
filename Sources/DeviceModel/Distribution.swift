// How values are spread: what a histogram holds, as a value that can be sent, merged and asked for quantiles.

/// Counted values by size; their unit is that of whoever holds it.
///
/// A value is known as well as its bucket is narrow: ``quantile(_:)`` is never below the exact quantile, and above it by no
/// more than the width of one bucket.
public struct Distribution: Hashable, Sendable {
    /// Values that are told apart no further.
    public struct Bucket: Hashable, Sendable {
        /// The largest value that belongs to the bucket.
        public var upperBound: Int64
        public var count: Int64

        public init(upperBound: Int64, count: Int64) {
            self.upperBound = upperBound
            self.count = count
        }
    }

    /// Those that hold something, by size.
    public var buckets: [Bucket] = []
    /// Of all values.
    public var sum: Int64 = 0
    /// The largest value; 0 where there is none.
    public var max: Int64 = 0

    public init() {}

    /// How many values there are.
    public var count: Int64 {
        self.buckets.reduce(0) { $0 + $1.count }
    }

    /// The value that at least this share of all values does not exceed; 0 where there is none.
    ///
    /// - Parameter share: from 0 to 1, such as 0.99.
    public func quantile(_ share: Double) -> Int64 {
        let rank = Swift.max(1, (share * Double(self.count)).rounded(.up))
        var reached: Int64 = 0
        for bucket in self.buckets {
            reached += bucket.count
            if Double(reached) >= rank { return min(bucket.upperBound, self.max) }
        }
        return self.max
    }

    /// How many values do not exceed `bound`, exact where a bucket ends there.
    public func count(through bound: Int64) -> Int64 {
        self.buckets.prefix { $0.upperBound <= bound }.reduce(0) { $0 + $1.count }
    }

    /// Adds the values of another distribution with the same bounds.
    public mutating func merge(_ other: Distribution) {
        self.buckets = self.combined(with: other) { $0 + $1 }
        self.sum = self.sum.saturatingAdd(other.sum)
        self.max = Swift.max(self.max, other.max)
    }

    /// The values that came after `earlier`, a distribution that this one has grown from. The largest of them is known as
    /// well as its bucket is narrow.
    public func since(_ earlier: Distribution) -> Distribution {
        var difference = Distribution()
        difference.buckets = self.combined(with: earlier) { $0 - $1 }
        difference.sum = Swift.max(0, self.sum - earlier.sum)
        difference.max = min(self.max, difference.buckets.last?.upperBound ?? 0)
        return difference
    }

    /// The buckets of both, by size, with counts that `combine` makes; those that come to nothing are left out.
    private func combined(with other: Distribution, _ combine: (Int64, Int64) -> Int64) -> [Bucket] {
        var combined: [Bucket] = []
        var (own, others) = (self.buckets[...], other.buckets[...])
        while let bound = [own.first?.upperBound, others.first?.upperBound].compactMap(\.self).min() {
            let ownCount = own.first?.upperBound == bound ? own.removeFirst().count : 0
            let otherCount = others.first?.upperBound == bound ? others.removeFirst().count : 0
            let count = combine(ownCount, otherCount)
            if count > 0 { combined.append(Bucket(upperBound: bound, count: count)) }
        }
        return combined
    }
}

extension Int64 {
    /// The sum of two numbers, or the largest number where it would be larger.
    package func saturatingAdd(_ other: Int64) -> Int64 {
        let (sum, isOver) = self.addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
