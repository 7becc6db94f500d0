// The way to an entry of an ordered index.

/// The way from the root of a tree to the leaf that holds an entry. It holds until the tree changes.
///
/// Ways in several trees are gone side by side, so that waiting for one node overlaps with waiting for another.
struct RankedPath: BitwiseCopyable {
    /// More than a tree of 2^32 entries has.
    private static var heightMax: Int { 8 }

    private let tree: UnsafeMutablePointer<RankedTree>
    private let height: Int
    private var node: UnsafeMutableRawPointer
    private var level = 0
    /// The branches on the way from the root on, each with the place of the subtree that it goes into.
    private var branches: InlineArray<8, TreeBranch>
    private var places: InlineArray<8, UInt8>

    init(_ tree: UnsafeMutablePointer<RankedTree>) {
        precondition(tree.pointee.height <= Self.heightMax, "a tree is no higher than its entries make it")
        self.tree = tree
        self.height = tree.pointee.height
        self.node = tree.pointee.root
        self.branches = InlineArray(repeating: TreeBranch(block: tree.pointee.root))
        self.places = InlineArray(repeating: 0)
        TreeLeaf(block: self.node).prefetch()
    }

    /// Whether there are branches to go.
    @inline(__always)
    var isUnfinished: Bool { self.level < self.height }

    /// Goes on by a branch.
    @inline(__always)
    mutating func descend(to entry: RankedEntry, _ ties: some TieBreaker) {
        let branch = TreeBranch(block: self.node)
        // The entry itself counts as before: it may be the one with which its subtree begins.
        let place = branch.child(entry.value) { $0 == entry.number || ties.isBefore($0, entry.number) }
        self.branches[self.level] = branch
        self.places[self.level] = UInt8(place)
        self.node = branch.children[place]
        self.level += 1
        TreeLeaf(block: self.node).prefetch()
    }

    /// The leaf at the end.
    var leaf: TreeLeaf { TreeLeaf(block: self.node) }

    /// A branch on the way, counted from the root, with the place of the subtree that it goes into.
    func step(_ level: Int) -> (branch: TreeBranch, place: Int) {
        (self.branches[level], Int(self.places[level]))
    }

    /// Removes the entry at the end, which it was made for.
    func remove(_ entry: RankedEntry) {
        self.tree.pointee.remove(entry, along: self)
    }
}
