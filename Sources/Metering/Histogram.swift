// A log-linear histogram: sixteen buckets to each power of two, so that every bucket is as exact for its size.

package import DeviceModel

/// Counts values from 1 to about 17.6 trillion (in nanoseconds, five hours) by size, the width of a bucket being at most a
/// sixteenth of its values. What is smaller counts as 1, and what is larger is told apart by the largest of them alone.
///
/// A power of two is the largest value of its bucket, so that what does not exceed it is counted exactly. A histogram lies in a
/// row of counters, which may hold other things beside it.
///
/// ## Concurrency
/// As ``Counters``.
/// - Complexity: recording O(1), some nanoseconds; ``distribution`` O(buckets).
package struct Histogram: Sendable {
    private static let subBucketBitCount = 4
    private static let valueBitCount = 44
    private static let subBucketCount = 1 << Self.subBucketBitCount
    private static let bucketCount = (Self.valueBitCount - Self.subBucketBitCount + 1) * Self.subBucketCount

    /// How many counters a histogram takes: its buckets, the sum and the largest value.
    package static let counterCount = Self.bucketCount + 2

    private let counters: Counters
    private let offset: Int

    /// A histogram in counters of its own.
    package init() {
        self.init(in: Counters(count: Self.counterCount), at: 0)
    }

    /// The histogram whose counters begin at `offset`.
    package init(in counters: Counters, at offset: Int) {
        self.counters = counters
        self.offset = offset
    }

    /// Counts `count` values of the same size.
    package func record(_ value: Int64, count: Int64 = 1) {
        let value = max(1, value)
        self.counters.add(count, at: self.offset + Self.bucket(of: value))
        let (sum, isOver) = value.multipliedReportingOverflow(by: count)
        self.counters.add(isOver ? .max : sum, at: self.offset + Self.bucketCount)
        self.counters.raise(to: value, at: self.offset + Self.bucketCount + 1)
    }

    /// Counts the time since `start`, in nanoseconds.
    package func record(since start: ContinuousClock.Instant) {
        self.record(Int64((ContinuousClock.now - start) / .nanoseconds(1)))
    }

    /// What has been recorded. Values that come in meanwhile may be in it in part.
    package var distribution: Distribution {
        var distribution = Distribution()
        for bucket in 0..<Self.bucketCount {
            let count = self.counters.value(at: self.offset + bucket)
            if count > 0 { distribution.buckets.append(.init(upperBound: Self.upperBound(of: bucket), count: count)) }
        }
        distribution.sum = self.counters.value(at: self.offset + Self.bucketCount)
        distribution.max = self.counters.value(at: self.offset + Self.bucketCount + 1)
        return distribution
    }

    /// The bucket of a value. Of what lies below it: the number itself while a bucket holds one value, and from there on its
    /// exponent and the four bits after its first.
    private static func bucket(of value: Int64) -> Int {
        let below = value - 1
        guard below >= Int64(Self.subBucketCount) else { return Int(below) }
        let exponent = Int64.bitWidth - 1 - below.leadingZeroBitCount
        guard exponent < Self.valueBitCount else { return Self.bucketCount - 1 }
        let shift = exponent - Self.subBucketBitCount
        return shift * Self.subBucketCount + Int(below >> Int64(shift))
    }

    private static func upperBound(of bucket: Int) -> Int64 {
        guard bucket >= 2 * Self.subBucketCount else { return Int64(bucket) + 1 }
        guard bucket < Self.bucketCount - 1 else { return .max }
        let shift = bucket / Self.subBucketCount - 1
        let first = Int64(bucket - shift * Self.subBucketCount)
        return (first + 1) << Int64(shift)
    }
}
