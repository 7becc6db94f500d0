// An order of devices or of an attribute's values that most fleets never need.

internal import Synchronization

/// A ``RankedTree`` that is built when it is first asked for, a piece at a time, and given up again when memory is short.
///
/// Numbers below `coveredCount` are in the tree and are kept up to date; the rest are added by ``Fleet``'s ``Fleet/extend(_:by:)``.
/// Readers use it only once it is complete.
struct LazyOrder: ~Copyable {
    private var block: UnsafeMutablePointer<RankedTree>?
    private(set) var coveredCount: UInt32 = 0
    /// When it was last read, by the clock of ``Stopwatch``; readers note it while they share the index.
    private let lastUse = Atomic<Int64>(.min)

    var lastUseNanoseconds: Int64 { self.lastUse.load(ordering: .relaxed) }

    func noteUse() {
        self.lastUse.store(Stopwatch.now, ordering: .relaxed)
    }

    deinit {
        self.block?.deinitialize(count: 1)
        self.block?.deallocate()
    }

    var isComplete: Bool { self.coveredCount == .max }
    var isBegun: Bool { self.block != nil }

    var byteCount: Int { self.block?.pointee.byteCount ?? 0 }

    /// The tree, if it is complete.
    @inline(__always)
    var tree: UnsafePointer<RankedTree>? {
        self.isComplete ? UnsafePointer(self.block) : nil
    }

    /// The tree for a change of `number`, if it is there and has it.
    @inline(__always)
    func tree(covering number: UInt32) -> UnsafeMutablePointer<RankedTree>? {
        number < self.coveredCount ? self.block : nil
    }

    mutating func begin() {
        precondition(self.block == nil, "an order is begun once")
        let block = UnsafeMutablePointer<RankedTree>.allocate(capacity: 1)
        block.initialize(to: RankedTree())
        self.block = block
    }

    /// Takes note that numbers below `count` are in the tree.
    mutating func cover(_ count: UInt32) {
        self.coveredCount = count
    }

    mutating func complete() {
        self.coveredCount = .max
    }

    /// Gives the memory back.
    mutating func drop() {
        self.block?.deinitialize(count: 1)
        self.block?.deallocate()
        self.block = nil
        self.coveredCount = 0
    }

    /// The tree while it is being built.
    var unfinished: UnsafeMutablePointer<RankedTree> {
        guard let block = self.block else { preconditionFailure("an order is begun before it grows") }
        return block
    }
}
