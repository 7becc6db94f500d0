// An order of devices or of an attribute's values that most fleets never need.

internal import Synchronization

/// A ``RankedTree`` that is built on demand, a piece at a time, and given up again when memory is short.
///
/// What comes before `covered` is in the tree and is kept up to date; the rest is added by ``Fleet``'s ``Fleet/extend(_:by:)``.
/// Readers use it only once it is complete.
struct LazyOrder: ~Copyable {
    private var block: UnsafeMutablePointer<RankedTree>?
    private(set) var covered = BuildingPlace.start
    /// When it was last read, by the clock of ``Stopwatch``; readers note it while they share the index.
    private let lastUse = Atomic<Int64>(.min)
    /// What it would have saved those who found it missing, in nanoseconds.
    private let missedNanoseconds = Atomic<Int64>(0)

    var lastUseNanoseconds: Int64 { self.lastUse.load(ordering: .relaxed) }

    func noteUse(_ now: Int64 = Stopwatch.now) {
        self.lastUse.store(now, ordering: .relaxed)
    }

    /// Takes note that it was missing, and tells what it would have saved in all.
    func noteMiss(_ nanoseconds: Int64) -> Int64 {
        self.missedNanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed).newValue
    }

    deinit {
        self.block?.deinitialize(count: 1)
        self.block?.deallocate()
    }

    var isComplete: Bool { self.covered == .end }
    var isBegun: Bool { self.block != nil }

    var byteCount: Int { self.block?.pointee.byteCount ?? 0 }

    /// The tree, if it is complete.
    @inline(__always)
    var tree: UnsafePointer<RankedTree>? {
        self.isComplete ? UnsafePointer(self.block) : nil
    }

    /// The tree for a change of what is at `place`, if it is there and has it.
    @inline(__always)
    func tree(covering place: BuildingPlace) -> UnsafeMutablePointer<RankedTree>? {
        place < self.covered ? self.block : nil
    }

    /// The tree for a change of a row or a slot, of an order that is built along their numbers.
    @inline(__always)
    func tree(covering number: UInt32) -> UnsafeMutablePointer<RankedTree>? {
        self.tree(covering: BuildingPlace(number: number))
    }

    mutating func begin() {
        precondition(self.block == nil, "an order is begun once")
        let block = UnsafeMutablePointer<RankedTree>.allocate(capacity: 1)
        block.initialize(to: RankedTree())
        self.block = block
    }

    /// Takes note that what comes before `place` is in the tree.
    mutating func cover(_ place: BuildingPlace) {
        self.covered = place
    }

    /// Gives the memory back.
    mutating func drop() {
        self.block?.deinitialize(count: 1)
        self.block?.deallocate()
        self.block = nil
        self.covered = .start
        self.missedNanoseconds.store(0, ordering: .relaxed)
    }

    /// The tree while it is being built.
    var unfinished: UnsafeMutablePointer<RankedTree> {
        guard let block = self.block else { preconditionFailure("an order is begun before it grows") }
        return block
    }
}

/// How far the building of an order has come along what it is built from: numbers of rows or slots, or devices by `last_seen` and id.
struct BuildingPlace: BitwiseCopyable, Comparable {
    var value: Int64
    var id: Int64 = .min

    static let start = BuildingPlace(value: .min)
    static let end = BuildingPlace(value: .max, id: .max)

    @inline(__always)
    init(value: Int64, id: Int64 = .min) {
        self.value = value
        self.id = id
    }

    @inline(__always)
    init(number: UInt32) {
        self.init(value: Int64(number))
    }

    /// Behind some of the numbers below `total`.
    init(after numbers: Range<UInt32>, of total: Int) {
        self = Int(numbers.upperBound) == total ? .end : BuildingPlace(number: numbers.upperBound)
    }

    /// Up to `count` numbers that come next, of those below `total`.
    func numbers(_ count: Int, of total: Int) -> Range<UInt32> {
        let start = Int(max(self.value, 0))
        return UInt32(start)..<UInt32(min(start + count, total))
    }

    @inline(__always)
    static func < (left: BuildingPlace, right: BuildingPlace) -> Bool {
        left.value != right.value ? left.value < right.value : left.id < right.id
    }
}
