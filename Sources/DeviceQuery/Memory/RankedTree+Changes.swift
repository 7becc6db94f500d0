// Adding and removing the numbers of a ranked tree.

internal import Glibc

extension RankedTree {
    // MARK: Inserting

    /// A node that was split off to the right of the one that was changed.
    private struct Split {
        var first: RankedEntry
        var node: UnsafeMutableRawPointer
        var count: Int
    }

    /// Adds a number that is not in the tree.
    mutating func insert(_ value: Int64, _ number: UInt32, _ ties: some TieBreaker) {
        let entry = RankedEntry(value: value, number: number)
        if let split = self.insert(entry, ties, into: self.root, height: self.height) {
            let branch = TreeBranch.make()
            self.branchCount += 1
            branch.insert(RankedEntry(value: .min, number: 0), self.root, self.count + 1 - split.count, at: 0)
            branch.insert(split.first, split.node, split.count, at: 1)
            self.root = branch.block
            self.height += 1
        }
        self.count += 1
    }

    private mutating func insert(
        _ entry: RankedEntry, _ ties: some TieBreaker, into node: UnsafeMutableRawPointer, height: Int
    ) -> Split? {
        guard height > 0 else {
            return self.insert(entry, ties, into: TreeLeaf(block: node))
        }
        let branch = TreeBranch(block: node)
        let index = branch.child(entry.value) { ties.isBefore($0, entry.number) }
        let split = self.insert(entry, ties, into: branch.children[index], height: height - 1)
        branch.counts[index] += 1
        guard let split else { return nil }
        branch.counts[index] -= split.count
        if branch.childCount < TreeBranch.capacity {
            branch.insert(split.first, split.node, split.count, at: index + 1)
            return nil
        }
        let right = TreeBranch.make()
        self.branchCount += 1
        if index + 1 == branch.childCount {
            right.insert(split.first, split.node, split.count, at: 0)
        } else {
            let middle = TreeBranch.capacity / 2
            branch.move(from: middle, to: right)
            let target = index + 1 <= middle ? branch : right
            target.insert(
                split.first, split.node, split.count, at: index + 1 <= middle ? index + 1 : index + 1 - middle)
        }
        return Split(first: right.first(of: 0), node: right.block, count: right.entryCount)
    }

    private mutating func insert(_ entry: RankedEntry, _ ties: some TieBreaker, into leaf: TreeLeaf) -> Split? {
        let index = leaf.rank(entry.value) { ties.isBefore($0, entry.number) }
        guard leaf.count == TreeLeaf.capacity else {
            leaf.insert(entry, at: index)
            return nil
        }
        let right = TreeLeaf.make()
        self.leafCount += 1
        leaf.link(right)
        if index == leaf.count, right.next == nil {
            right.insert(entry, at: 0)
            return Split(first: entry, node: right.block, count: 1)
        }
        let middle = TreeLeaf.capacity / 2
        leaf.move(from: middle, to: right)
        if index <= middle {
            leaf.insert(entry, at: index)
        } else {
            right.insert(entry, at: index - middle)
        }
        return Split(first: right.entry(at: 0), node: right.block, count: right.count)
    }

    // MARK: Removing

    /// Removes a number that is in the tree under `value`.
    mutating func remove(_ value: Int64, _ number: UInt32, _ ties: some TieBreaker) {
        let entry = RankedEntry(value: value, number: number)
        withUnsafeMutablePointer(to: &self) { tree in
            var path = RankedPath(tree)
            while path.isUnfinished { path.descend(to: entry, ties) }
            path.remove(entry)
        }
    }

    /// Removes an entry at the end of a path that was made for it.
    mutating func remove(_ entry: RankedEntry, along path: RankedPath) {
        guard let index = path.leaf.index(of: entry) else { preconditionFailure("the tree does not hold this number") }
        path.leaf.remove(at: index)
        // Whether the entry was the first below the node that was dealt with last.
        var wasFirst = index == 0
        for level in (0..<self.height).reversed() {
            let (branch, index) = path.step(level)
            let height = self.height - level
            branch.counts[index] -= 1
            if branch.counts[index] == 0, branch.childCount > 1 {
                self.destroyEmpty(branch.children[index], height: height - 1)
                branch.remove(at: index)
                wasFirst = index == 0
                continue
            }
            if wasFirst, index > 0 {
                branch.setFirst(Self.first(below: branch.children[index], height: height - 1), of: index)
            }
            if height == 1 {
                self.mendLeaf(index, of: branch)
            } else {
                self.mendBranch(index, of: branch)
            }
            wasFirst = wasFirst && index == 0
        }
        self.count -= 1
        while self.height > 0, TreeBranch(block: self.root).childCount == 1 {
            let only = TreeBranch(block: self.root).children[0]
            free(self.root)
            self.branchCount -= 1
            self.root = only
            self.height -= 1
        }
    }

    private static func first(below node: UnsafeMutableRawPointer, height: Int) -> RankedEntry {
        var node = node
        for _ in 0..<height { node = TreeBranch(block: node).children[0] }
        return TreeLeaf(block: node).entry(at: 0)
    }

    /// Gives a subtree without entries back: each of its branches has one child.
    private mutating func destroyEmpty(_ node: UnsafeMutableRawPointer, height: Int) {
        var node = node
        for _ in 0..<height {
            let child = TreeBranch(block: node).children[0]
            free(node)
            self.branchCount -= 1
            node = child
        }
        TreeLeaf(block: node).unlinkAndFree()
        self.leafCount -= 1
    }

    /// Merges a leaf that has become small with a neighbour, unless both together would be nearly full.
    private mutating func mendLeaf(_ index: Int, of parent: TreeBranch) {
        guard TreeLeaf(block: parent.children[index]).count < TreeLeaf.capacity / 4 else { return }
        for left in [index, index - 1] where left >= 0 && left + 1 < parent.childCount {
            let first = TreeLeaf(block: parent.children[left])
            let second = TreeLeaf(block: parent.children[left + 1])
            guard first.count + second.count <= TreeLeaf.capacity / 4 * 3 else { continue }
            second.move(from: 0, to: first)
            second.unlinkAndFree()
            self.leafCount -= 1
            parent.counts[left] += parent.counts[left + 1]
            return parent.remove(at: left + 1)
        }
    }

    private mutating func mendBranch(_ index: Int, of parent: TreeBranch) {
        guard TreeBranch(block: parent.children[index]).childCount < TreeBranch.capacity / 4 else { return }
        for left in [index, index - 1] where left >= 0 && left + 1 < parent.childCount {
            let first = TreeBranch(block: parent.children[left])
            let second = TreeBranch(block: parent.children[left + 1])
            guard first.childCount + second.childCount <= TreeBranch.capacity / 4 * 3 else { continue }
            // Between its neighbours the first entry of a subtree must be true.
            second.setFirst(parent.first(of: left + 1), of: 0)
            second.move(from: 0, to: first)
            free(second.block)
            self.branchCount -= 1
            parent.counts[left] += parent.counts[left + 1]
            return parent.remove(at: left + 1)
        }
    }
}
