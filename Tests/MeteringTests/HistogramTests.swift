import DeviceModel
import Metering
import RollcallTesting
import Testing

@Suite struct HistogramTests {
    /// Values of every size, many of them small, as times are.
    private static func values(_ generator: inout SeededGenerator) -> [Int64] {
        (0..<Int.random(in: 1...2_000, using: &generator)).map { _ in
            Int64.random(in: 1...(1 << Int64.random(in: 1...43, using: &generator)), using: &generator)
        }
    }

    private static func distribution(of values: [Int64]) -> Distribution {
        let histogram = Histogram()
        for value in values { histogram.record(value) }
        return histogram.distribution
    }

    @Test func quantilesAreTheExactOnesOrAtMostASixteenthAbove() {
        for seed in UInt64(1)...40 {
            var generator = SeededGenerator(seed: seed)
            let values = Self.values(&generator).sorted()
            let distribution = Self.distribution(of: values)
            #expect(distribution.count == Int64(values.count), "seed \(seed)")
            #expect(distribution.sum == values.reduce(0, +), "seed \(seed)")
            #expect(distribution.max == values.last, "seed \(seed)")
            for share in [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
                let rank = max(1, Int((share * Double(values.count)).rounded(.up)))
                let exact = values[rank - 1]
                let quantile = distribution.quantile(share)
                #expect(quantile >= exact && quantile - exact <= exact / 16, "seed \(seed), share \(share)")
            }
        }
    }

    @Test func whatDoesNotExceedAPowerOfTwoIsCountedExactly() {
        for seed in UInt64(1)...20 {
            var generator = SeededGenerator(seed: seed)
            let bounds = (0...43).map { Int64(1) << Int64($0) }
            let values = Self.values(&generator) + bounds + bounds.map { $0 + 1 }
            let distribution = Self.distribution(of: values)
            for bound in bounds {
                #expect(
                    distribution.count(through: bound) == Int64(values.count { $0 <= bound }),
                    "seed \(seed), bound \(bound)")
            }
        }
    }

    @Test func smallValuesAreToldApartAndExtremeOnesCounted() {
        #expect(Self.distribution(of: [1, 2, 3, 32]).buckets.map(\.upperBound) == [1, 2, 3, 32])
        let extremes = Self.distribution(of: [.min, 0, .max, 1 << 50])
        #expect(extremes.count == 4)
        #expect(extremes.quantile(0.5) == 1)
        #expect(extremes.quantile(1) == .max)
        #expect(extremes.max == .max)
        #expect(Distribution().quantile(0.99) == 0)
    }

    @Test func aSumOfDistributionsIsThatOfAllTheirValuesAndADifferenceThatOfTheNewOnes() {
        for seed in UInt64(1)...40 {
            var generator = SeededGenerator(seed: seed)
            let (first, second) = (Self.values(&generator), Self.values(&generator))
            var sum = Self.distribution(of: first)
            sum.merge(Self.distribution(of: second))
            #expect(sum == Self.distribution(of: first + second), "seed \(seed)")
            let difference = sum.since(Self.distribution(of: first))
            let expected = Self.distribution(of: second)
            #expect(difference.buckets == expected.buckets && difference.sum == expected.sum, "seed \(seed)")
            #expect(difference.max >= expected.max && difference.max <= sum.max, "seed \(seed)")
        }
    }

    /// Streams live long, and there are many.
    @Test func aSumEndsAtTheLargestNumber() {
        let histogram = Histogram()
        histogram.record(.max / 2 + 1)
        var distribution = histogram.distribution
        distribution.merge(histogram.distribution)
        #expect(distribution.sum == .max)
        #expect(histogram.distribution.since(distribution).sum == 0)
        histogram.record(.max / 2 + 1, count: 3)
        #expect(histogram.distribution.sum == .max)
    }
}
