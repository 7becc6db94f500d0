// Bitmaps, word by word, against what says the same bit by bit.

import CWordKernels
import RollcallTesting
import Testing

struct WordKernelsTests {
    /// Below, at and beyond what registers of 128, 256 and 512 bits hold, and a whole chunk.
    static let counts = Array(0...35) + [63, 64, 65, 127, 1_024]

    @Test(arguments: Self.counts)
    func wordsAreJoinedAndCountedAsBitsAre(count: Int) {
        for seed in 0..<4 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let left = Self.words(count, &random)
            // One time in four they have nothing in common.
            let right = seed == 0 ? left.map(~) : Self.words(count, &random)
            let (common, either) = (zip(left, right).map { $0 & $1 }, zip(left, right).map { $0 | $1 })

            #expect(rollcall_words_count(left, count) == left.bitCount, "seed \(seed)")
            #expect(rollcall_words_count_common(left, right, count) == common.bitCount, "seed \(seed)")

            var result = [UInt64](repeating: 7, count: count + 1)
            #expect(rollcall_words_intersect(&result, left, right, count) == (common.bitCount > 0), "seed \(seed)")
            #expect(result == common + [7], "seed \(seed)")
            rollcall_words_unite(&result, left, right, count)
            #expect(result == either + [7], "seed \(seed)")
        }
    }

    @Test(arguments: Self.counts)
    func theResultMayBeWhatIsJoined(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let (left, right) = (Self.words(count, &random), Self.words(count, &random))
        let (common, either) = (zip(left, right).map { $0 & $1 }, zip(left, right).map { $0 | $1 })
        for isLeft in [true, false] {
            func join(
                _ kernel: (UnsafeMutablePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<UInt64>) -> Void
            ) -> [UInt64] {
                var result = (isLeft ? left : right) + [7]
                result.withUnsafeMutableBufferPointer { result in
                    guard let base = result.baseAddress else { return }
                    left.withUnsafeBufferPointer { left in
                        right.withUnsafeBufferPointer { right in
                            guard let left = left.baseAddress, let right = right.baseAddress else { return }
                            kernel(base, isLeft ? UnsafePointer(base) : left, isLeft ? right : UnsafePointer(base))
                        }
                    }
                }
                return result
            }
            var hasAny = false
            #expect(join { rollcall_words_unite($0, $1, $2, count) } == either + [7])
            #expect(join { hasAny = rollcall_words_intersect($0, $1, $2, count) } == common + [7])
            #expect(hasAny == (common.bitCount > 0))
        }
    }

    /// A bit at the very end is not passed over.
    @Test(arguments: Self.counts.dropFirst())
    func oneCommonBitIsFoundWhereverItIs(count: Int) {
        for place in [0, count / 2, count - 1] {
            var words = [UInt64](repeating: 0, count: count)
            words[place] = 1 << UInt64(place & 63)
            let all = [UInt64](repeating: .max, count: count)
            var result = words
            #expect(rollcall_words_intersect(&result, words, all, count), "place \(place)")
            #expect(rollcall_words_count_common(words, all, count) == 1, "place \(place)")
        }
    }

    @Test func membersAreThoseWhoseBitsAreSet() {
        var random = SeededGenerator(seed: 5)
        let words = Self.words(1_024, &random)
        for count in [0, 1, 7, 500] {
            let bits = (0..<count).map { _ in UInt16.random(in: 0...UInt16.max, using: &random) }
            let expected = bits.count { words[Int($0 >> 6)] >> UInt64($0 & 63) & 1 != 0 }
            #expect(rollcall_words_count_members(words, bits, count) == expected)
        }
    }

    /// Sparse, so that two of them may have nothing in common.
    private static func words(_ count: Int, _ random: inout SeededGenerator) -> [UInt64] {
        (0..<count).map { _ in
            UInt64.random(in: 0...UInt64.max, using: &random) & UInt64.random(in: 0...UInt64.max, using: &random)
        }
    }
}

extension [UInt64] {
    fileprivate var bitCount: Int {
        self.reduce(0) { count, word in count + (0..<64).count { word >> UInt64($0) & 1 != 0 } }
    }
}
