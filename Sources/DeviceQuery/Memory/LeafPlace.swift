// Going from leaf to leaf of an ordered index.

/// An entry of a leaf, with the way to the leaves beside it.
struct LeafPlace {
    private(set) var leaf: TreeLeaf
    /// Nil where the leaf is the root.
    private let parent: TreeBranch?
    private var child: Int
    var index = 0

    /// How many leaves ahead are being fetched: their addresses lie in the parent, while each leaf itself tells only the next.
    private static var fetchedCount: Int { 4 }

    init(leaf: TreeLeaf, parent: TreeBranch? = nil, child: Int = 0) {
        self.leaf = leaf
        self.parent = parent
        self.child = child
    }

    private func sibling(_ distance: Int) -> TreeLeaf? {
        guard let parent = self.parent, (0..<parent.childCount).contains(self.child + distance) else { return nil }
        return TreeLeaf(block: parent.children[self.child + distance])
    }

    /// Begins to fetch the next leaves, as far as so many entries are likely to reach.
    func prefetchSiblings(_ isDescending: Bool, entryCount: Int) {
        for distance in 0..<min(Self.fetchedCount, entryCount / (TreeLeaf.capacity / 2) + 1) {
            self.sibling(isDescending ? -distance : distance)?.prefetchNumbers()
        }
    }

    /// Goes on to the first entry of the next leaf, or to the last one of the leaf before, unless the parent has no more.
    mutating func moveToSibling(_ isDescending: Bool) -> Bool {
        let step = isDescending ? -1 : 1
        guard let leaf = self.sibling(step) else { return false }
        self.child += step
        self.leaf = leaf
        self.index = isDescending ? leaf.count - 1 : 0
        self.sibling(step * (Self.fetchedCount - 1))?.prefetchNumbers()
        return true
    }

    /// As ``moveToSibling(_:)``, and on from the parent's last leaf to the one beside it, unless there is none.
    mutating func moveToNeighbour(_ isDescending: Bool) -> Bool {
        if self.moveToSibling(isDescending) { return true }
        guard let leaf = isDescending ? self.leaf.previous : self.leaf.next else { return false }
        self = LeafPlace(leaf: leaf)
        self.index = isDescending ? leaf.count - 1 : 0
        return true
    }
}
