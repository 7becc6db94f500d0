// The containers of the index against the standard library's.

import DeviceModel
@testable import DeviceQuery
import RollcallTesting
import Testing

@Suite struct ContainerTests {
    @Test(arguments: 0..<4 as Range<UInt64>)
    func aRowSetHoldsWhatASetHolds(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var set = RowSet()
        var model: Set<UInt32> = []
        var byteCount = 0
        // Small ranges make bitmaps, large ones arrays; growing and shrinking crosses every change of form.
        let range: Range<UInt32> = seed % 2 == 0 ? 0..<9_000 : 0..<400_000
        for (target, insertChance) in [(7_000, 9), (0, 1), (1_500, 9), (2, 1), (0, 1)] {
            while insertChance > 5 ? model.count < target : model.count > target {
                let insert = Int.random(in: 0..<10, using: &random) < insertChance
                if insert {
                    let row = UInt32.random(in: range, using: &random)
                    if model.insert(row).inserted { set.insert(row, byteCount: &byteCount) }
                } else if let row = model.first {
                    model.remove(row)
                    set.remove(row, byteCount: &byteCount)
                }
            }
            var rows: [UInt32] = []
            set.forEach { rows.append($0) }
            #expect(rows == model.sorted(), "seed \(seed), target \(target)")
            #expect(Int(set.count) == model.count)
            #expect(Self.rows(of: set, &random) == rows, "seed \(seed), target \(target)")
            for _ in 0..<200 {
                let row = UInt32.random(in: range, using: &random)
                #expect(set.contains(row) == model.contains(row), "seed \(seed), row \(row)")
            }
            var cursor: UInt32 = 0
            for chunk in 0..<8 {
                var mask = [UInt64](repeating: 0, count: RowChunk.wordCount)
                mask.withUnsafeMutableBufferPointer { words in
                    if let base = words.baseAddress { set.unite(chunk: chunk, cursor: &cursor, into: base) }
                }
                var expected = [UInt64](repeating: 0, count: RowChunk.wordCount)
                for row in model where Int(row >> 16) == chunk {
                    expected[Int(row & 0xFFFF) >> 6] |= 1 << UInt64(row & 63)
                }
                #expect(mask == expected, "seed \(seed), chunk \(chunk)")
                let other = mask.indices.map { _ in UInt64.random(in: 0...UInt64.max, using: &random) }
                #expect(
                    set.count(chunk: chunk, in: other)
                        == zip(expected, other).reduce(0) { $0 + ($1.0 & $1.1).nonzeroBitCount },
                    "seed \(seed), chunk \(chunk)")
            }
        }
        set.destroy(byteCount: &byteCount)
        #expect(byteCount == 0)
    }

    /// What a reader gives, some rows at a time.
    private static func rows(of set: RowSet, _ random: inout SeededGenerator) -> [UInt32] {
        var reader = RowSetReader(set)
        var rows: [UInt32] = []
        while true {
            let count = Int.random(in: 1...500, using: &random)
            let read = [UInt32](unsafeUninitializedCapacity: count) { buffer, readCount in
                readCount = buffer.baseAddress.map { reader.read(into: $0, count: count) } ?? 0
            }
            if read.isEmpty { return rows }
            rows += read
        }
    }

    @Test func aColumnKeepsItsValuesAsItGrows() {
        // Past the size from which on its memory is a mapping that moves.
        let count = 600_000
        var column = Column<UInt64>()
        for value in 0..<UInt64(count) { column.append(value &* 0x9E37_79B9_7F4A_7C15) }
        #expect(column.count == count)
        #expect((0..<count).allSatisfy { column[$0] == UInt64($0) &* 0x9E37_79B9_7F4A_7C15 })
    }

    private struct Ascending: EntryOrder {
        func prefix(_ entry: UInt32) -> UInt64 { UInt64(entry >> 8) }
        func isBefore(_ left: UInt32, _ right: UInt32) -> Bool { left < right }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func theFirstEntriesAreThoseOfASort(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit = Int.random(in: 1...300, using: &random)
        var first = FirstEntries(Ascending(), limit: limit, expectedCount: 10)
        var all: [UInt32] = []
        for _ in 0..<40 {
            // Few values make many that are equal.
            let block = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt32.random(in: 0..<(seed < 4 ? 100 : 1_000_000), using: &random)
            }
            if Bool.random(using: &random) {
                first.insert(block.count) { block[$0] }
            } else {
                for entry in block { first.insert(entry) }
            }
            all += block
        }
        let sorted = first.sorted()
        #expect((0..<sorted.count).map { sorted[$0] } == Array(all.sorted().prefix(limit)), "seed \(seed)")
    }

    /// In order, nearly so, backwards and in none: few entries are sorted in one way or another.
    @Test(arguments: [0, 1, 2, 13, 40, 64, 65, 200])
    func fewEntriesAreSortedHoweverTheyLie(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let ordered = (0..<UInt32(count)).map { $0 * 100 }
        var nearly = ordered
        if count > 1 { nearly.swapAt(0, count - 1) }
        for entries in [ordered, nearly, ordered.reversed(), ordered.shuffled(using: &random)] {
            for limit in [1, count / 2 + 1, count + 1] {
                var first = FirstEntries(Ascending(), limit: limit, expectedCount: count)
                for entry in entries { first.insert(entry) }
                let sorted = first.sorted()
                #expect((0..<sorted.count).map { sorted[$0] } == Array(ordered.prefix(limit)), "\(entries)")
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 7, 33, 63, 64], 0..<4 as Range<UInt64>)
    func severalRankedTreesAreOneSequence(treeCount: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // In some runs rows lie in the order of their ids, in others most do not.
        var ids = Array(1...2_000 as ClosedRange<Int64>)
        if seed > 1 { ids.shuffle(using: &random) }
        var order = IDOrder()
        let rows = ids.enumerated().map { number, id in
            order.enter(UInt32(number), id: id, isNew: true)
            var row = DeviceRow.free(next: 0)
            row.deviceID = DeviceID(rawValue: id)
            let isSeen = Int.random(in: 0..<10, using: &random) > 0
            let lastSeen = Int64.random(in: 0..<(seed % 2 == 0 ? 40 : 1_000_000), using: &random)
            row.lastSeen = isSeen ? lastSeen : DeviceRow.neverSeen
            return row
        }
        let trees = (0..<treeCount).map { _ in UnsafeMutablePointer<RankedTree>.allocate(capacity: 1) }
        for tree in trees { tree.initialize(to: RankedTree()) }
        defer {
            for tree in trees {
                tree.deinitialize(count: 1)
                tree.deallocate()
            }
        }
        rows.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let ties = order.ties(base)
            var members = trees.map { _ in [UInt32]() }
            for number in 0..<UInt32(rows.count) {
                // In some runs the last of several is empty.
                let end = seed % 2 == 0 ? trees.count : max(1, trees.count - 1)
                let place = Int.random(in: 0..<end, using: &random)
                trees[place].pointee.insert(rows[Int(number)].lastSeen, number, ties)
                members[place].append(number)
            }
            func sorted(_ numbers: [UInt32]) -> [UInt32] {
                numbers.sorted {
                    (rows[Int($0)].lastSeen, rows[Int($0)].id) < (rows[Int($1)].lastSeen, rows[Int($1)].id)
                }
            }
            for (isDescending, isEmpty) in [(false, false), (true, false), (false, false), (true, false), (true, true)]
            {
                withUnsafeTemporaryAllocation(of: RankedCursor.self, capacity: trees.count) { cursors in
                    guard let first = cursors.baseAddress else { return }
                    var merge = RankedMerge(first, ties, isDescending: isDescending)
                    var expected: [UInt32] = []
                    for (tree, numbers) in zip(trees, members) {
                        let count = isEmpty ? 0 : numbers.count
                        let ends = (0..<2).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
                        merge.add(tree.pointee, ends[0]..<ends[1])
                        expected += sorted(numbers)[ends[0]..<ends[1]]
                    }
                    merge.begin()
                    expected = isDescending ? sorted(expected).reversed() : sorted(expected)
                    #expect(merge.count == expected.count)
                    var read: [UInt32] = []
                    var part = [UInt32](repeating: 0, count: 100)
                    while true {
                        let size = Int.random(in: 1...100, using: &random)
                        let count = merge.read(into: &part, count: size, fetching: nil)
                        read += part[..<count]
                        if count == 0 { break }
                    }
                    #expect(read == expected && merge.count == 0, "seed \(seed)")
                }
            }
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func theOlderOfTwoDevicesIsTheOneWithTheSmallerID(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var order = IDOrder()
        var rows = Column<DeviceRow>()
        #expect(order.byteCount == 0)
        for step in 1...400 as ClosedRange<Int64> {
            var row = DeviceRow.free(next: 0)
            // In the first run all are new and newer than those before.
            let isNew = seed == 0 || rows.count < 2 || Int.random(in: 0..<4, using: &random) > 0
            let isNewest = seed == 0 || Int.random(in: 0..<8, using: &random) > 0
            row.deviceID = DeviceID(rawValue: isNewest ? step + 1_000 : step)
            let number = isNew ? rows.count : Int.random(in: 0..<rows.count, using: &random)
            if isNew { rows.append(row) } else { rows[number] = row }
            order.enter(UInt32(number), id: row.id, isNew: isNew)
        }
        let ties = order.ties(UnsafePointer(rows.base))
        for left in 0..<UInt32(rows.count) {
            for right in 0..<UInt32(rows.count) {
                #expect(ties.isBefore(left, right) == (rows[Int(left)].id < rows[Int(right)].id))
            }
            #expect(seed > 0 || ties.isInOrder(left))
        }
        #expect((order.byteCount > 0) == (seed > 0))
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func aRankedTreeIsASortedArray(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var devices = Column<DeviceRow>()
        var tree = RankedTree()
        var order = IDOrder()
        func ties() -> IDTies { order.ties(UnsafePointer(devices.base)) }
        func check() throws { try tree.checkInvariants(ties()) { devices[Int($0)].lastSeen } }
        for id in 1...6_000 as ClosedRange<Int64> {
            var device = DeviceRow.free(next: 0)
            device.deviceID = DeviceID(rawValue: id)
            // Few values make many ties; one seed in two comes in order.
            device.lastSeen = seed % 2 == 0 ? id : Int64.random(in: 0..<50, using: &random)
            devices.append(device)
            // Of some rows the number is trusted, of others the id is read.
            order.enter(UInt32(id - 1), id: id, isNew: id % 3 > 0)
            tree.insert(device.lastSeen, UInt32(id - 1), ties())
        }
        try check()
        // Moves to the end, as check-ins make them.
        for step in 0..<8_000 {
            let row = Int.random(in: 0..<devices.count, using: &random)
            tree.remove(devices[row].lastSeen, UInt32(row), ties())
            devices.base[row].lastSeen = seed < 2 ? 10_000 + Int64(step) : Int64.random(in: 0..<60, using: &random)
            tree.insert(devices[row].lastSeen, UInt32(row), ties())
            if step % 500 == 0 { try check() }
        }
        try check()
        let sorted = (0..<devices.count).sorted {
            (devices.base[$0].lastSeen, $0) < (devices.base[$1].lastSeen, $1)
        }
        for _ in 0..<50 {
            let ranks = [Int.random(in: 0...6_000, using: &random), Int.random(in: 0...6_000, using: &random)].sorted()
            var up: [Int] = []
            tree.forEach(in: ranks[0]..<ranks[1], isDescending: false) {
                up.append(Int($0)); return true
            }
            #expect(up == Array(sorted[ranks[0]..<ranks[1]]), "seed \(seed)")
            var down: [Int] = []
            tree.forEach(in: ranks[0]..<ranks[1], isDescending: true) {
                down.append(Int($0)); return true
            }
            #expect(down == up.reversed(), "seed \(seed)")
            let rank = Int.random(in: 0..<6_000, using: &random)
            let row = sorted[rank]
            #expect(tree.rank(devices[row].lastSeen) { $0 < row } == rank)
            #expect(tree.rank(devices[row].lastSeen) { $0 <= row } == rank + 1)
            #expect(tree.number(devices[row].lastSeen) { $0 < row } == UInt32(row))
            #expect(tree.entry(at: rank).number == UInt32(row))
            let count = Int.random(in: 1..<700, using: &random)
            for isInclusive in [false, true] {
                let place = rank + (isInclusive ? 1 : 0)
                for isDescending in [false, true] {
                    var found: [Int] = []
                    tree.forEachRun(from: devices[row].lastSeen, count: count, isDescending: isDescending) {
                        $0 < row || (isInclusive && $0 == row)
                    } _: { run in
                        found += isDescending ? run.reversed().map { Int($0) } : run.map { Int($0) }
                        return true
                    }
                    let expected =
                        isDescending ? Array(sorted[..<place].reversed()) : Array(sorted[place...])
                    #expect(found == Array(expected.prefix(count)), "seed \(seed)")
                }
            }
        }
        for (value, isDescending) in [(Int64.min, true), (.max, false)] {
            tree.forEachRun(from: value, count: 1, isDescending: isDescending, where: { _ in false }) { _ in
                Issue.record("there is nothing beyond either end")
                return false
            }
        }
        let full = tree.byteCount
        for row in (0..<devices.count).shuffled(using: &random) {
            tree.remove(devices[row].lastSeen, UInt32(row), ties())
            if row % 500 == 0 { try check() }
        }
        try check()
        #expect(tree.count == 0 && tree.byteCount < full / 10)
    }

    @Test func slotsFindWhatWasInsertedAndNothingRemoved() {
        var random = SeededGenerator(seed: 1)
        var slots = HashSlots()
        var model: [UInt32: UInt32] = [:]
        for step in 0..<20_000 {
            // Few tags at the upper end: long runs of collisions that wrap around.
            let tag = UInt32.max - UInt32.random(in: 0..<40, using: &random) << 20
            if step % 3 != 2 || model.isEmpty {
                slots.insert(tag, UInt32(step), TextRef(unit: UInt32(step)))
                model[UInt32(step)] = tag
            } else if let (number, tag) = model.first {
                slots.remove(tag, number)
                model[number] = nil
                #expect(slots.find(tag) { $0.unit == number } == nil)
            }
            if model.count > 300, let (number, tag) = model.first {
                slots.remove(tag, number)
                model[number] = nil
            }
        }
        #expect(slots.count == model.count)
        for (number, tag) in model { #expect(slots.find(tag) { $0.unit == number } == number) }
    }

    @Test func textsKeepTheirBytesAndGiveTheirRoomBack() {
        var random = SeededGenerator(seed: 2)
        var pool = TextPool()
        var model: [TextRef: [UInt8]] = [:]
        for _ in 0..<6_000 {
            let text = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                UInt8.random(in: 1...255, using: &random)
            }
            model[text.withUnsafeBytes { pool.insert($0) }] = text
            if model.count > 500, let (reference, text) = model.first {
                #expect(Array(pool.text(reference)) == text)
                pool.remove(reference)
                model[reference] = nil
            }
        }
        for (reference, text) in model { #expect(Array(pool.text(reference)) == text) }
        #expect(pool.byteCount < 500 * 308 * 3)
    }

    @Test func base64RoundTripsAndHasOneTextForEachValue() {
        var random = SeededGenerator(seed: 3)
        for count in 0..<50 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Self.decoded(bytes.withUnsafeBytes(Base64URL.encode)) == bytes)
        }
        #expect(([0xFB, 0xFF] as [UInt8]).withUnsafeBytes(Base64URL.encode) == "-_8")
        for text in ["A", "-_9", "+/8", "AA==", "A A", "é"] {
            #expect(Self.decoded(text) == nil, "\(text)")
        }
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".unicodeScalars)
        for character in UInt8.min ... .max {
            let scalar = UnicodeScalar(character)
            for (count, place) in (1...9).flatMap({ count in (0..<count).map { (count, $0) } }) {
                var text = [UnicodeScalar](repeating: "A", count: count)
                text[place] = scalar
                // Six bits a letter; what is left over after whole bytes is zero.
                let bits = text.compactMap { letters.firstIndex(of: $0) }.map { String($0, radix: 2) }
                    .map { String(repeating: "0", count: 6 - $0.count) + $0 }.joined()
                let byteCount = bits.utf8.count / 8
                let isText =
                    letters.contains(scalar) && count % 4 != 1 && !bits.dropFirst(byteCount * 8).contains("1")
                let bytes = (0..<byteCount).map { UInt8(bits.dropFirst($0 * 8).prefix(8), radix: 2) }
                let string = String(String.UnicodeScalarView(text))
                #expect(Self.decoded(string) == (isText ? bytes.compactMap { $0 } : nil), "\(string)")
            }
        }
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        withUnsafeTemporaryAllocation(byteCount: Base64URL.byteCountMax(text), alignment: 1) { buffer in
            Base64URL.decode(text, into: buffer).map { Array(buffer[..<$0]) }
        }
    }

    /// Page tokens outlive the process: their hash must not change with it, nor with a new compiler.
    @Test func theHashOfATokenIsTheSameEverywhere() {
        let texts = ["", "a", "abcd", "abcdefgh", "abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz0123456789"]
        let hashes = texts.map { text in Array(text.utf8).withUnsafeBytes { StableHash.hash($0, seed: 7) } }
        #expect(Set(hashes).count == texts.count)
        #expect(hashes == Self.hashes)
    }

    private static let hashes: [UInt64] = [
        1_962_999_210_563_793_833, 5_127_027_526_872_145_633, 12_885_335_092_387_268_552, 10_279_218_084_163_926_813,
        7_443_623_887_188_221_578, 12_011_291_690_224_386_435,
    ]
}
