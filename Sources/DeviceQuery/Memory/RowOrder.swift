// Devices in the order of a number: a B+ tree that knows how many entries lie on each side.

internal import Glibc

/// Rows by an integer and then by id, with ranks: the place of a key and the entry at a place are both found from the root.
///
/// An entry takes 12 bytes in a leaf. Entries that come at the end, as new ids and new times do, fill their leaf to the last place.
/// - Complexity: O(log n) to insert, remove and seek, with at most 1.5 KiB moved in each of two nodes: nothing grows with the
///   fleet but the height. O(1) amortised for a step to the next entry.
struct RowOrder: ~Copyable {
    private(set) var root: UnsafeMutableRawPointer
    /// Levels of branches above the leaves.
    private(set) var height = 0
    private(set) var count = 0
    private var leafCount = 1
    private var branchCount = 0

    init() {
        self.root = OrderLeaf.make().block
    }

    deinit {
        Self.destroy(self.root, height: self.height)
    }

    var byteCount: Int {
        self.leafCount * OrderLeaf.byteCount + self.branchCount * OrderBranch.byteCount
    }

    // MARK: Reading

    /// How many entries come before `key`, the entry with that very key counted if `inclusive`.
    func rank(_ key: OrderKey, inclusive: Bool, _ devices: UnsafePointer<DeviceRow>) -> Int {
        var rank = 0
        var node = self.root
        for _ in 0..<self.height {
            let branch = OrderBranch(block: node)
            let index = branch.child(for: key)
            for earlier in 0..<index { rank += branch.counts[earlier] }
            node = branch.children[index]
        }
        return rank + OrderLeaf(block: node).rank(key, inclusive: inclusive, devices)
    }

    /// The row of the entry with `key`.
    func row(_ key: OrderKey, _ devices: UnsafePointer<DeviceRow>) -> UInt32? {
        var node = self.root
        for _ in 0..<self.height {
            let branch = OrderBranch(block: node)
            node = branch.children[branch.child(for: key)]
        }
        let leaf = OrderLeaf(block: node)
        let index = leaf.rank(key, inclusive: false, devices)
        guard index < leaf.count, leaf.key(at: index, devices) == key else { return nil }
        return leaf.rows[index]
    }

    /// Calls `body` with each row of `ranks`, from the last one down if `descending`, until it returns false.
    @inline(__always)
    func forEach(in ranks: Range<Int>, descending: Bool, _ body: (UInt32) -> Bool) {
        guard !ranks.isEmpty else { return }
        precondition(ranks.lowerBound >= 0 && ranks.upperBound <= self.count, "the order ends before these ranks")
        var remaining = ranks.count
        var (leaf, index) = self.entry(at: descending ? ranks.upperBound - 1 : ranks.lowerBound)
        while true {
            let rows = leaf.rows
            if descending {
                let end = max(index - remaining, -1)
                remaining -= index - end
                while index > end {
                    guard body(rows[index]) else { return }
                    index -= 1
                }
                guard remaining > 0, let previous = leaf.previous else { return }
                leaf = previous
                index = leaf.count - 1
            } else {
                let end = min(index + remaining, leaf.count)
                remaining -= end - index
                while index < end {
                    guard body(rows[index]) else { return }
                    index += 1
                }
                guard remaining > 0, let next = leaf.next else { return }
                leaf = next
                index = 0
            }
        }
    }

    private func entry(at rank: Int) -> (OrderLeaf, Int) {
        var rest = rank
        var node = self.root
        for _ in 0..<self.height {
            let branch = OrderBranch(block: node)
            var index = 0
            while rest >= branch.counts[index] {
                rest -= branch.counts[index]
                index += 1
            }
            node = branch.children[index]
        }
        return (OrderLeaf(block: node), rest)
    }

    // MARK: Changing

    /// A node that was split off to the right of the one that was changed.
    private struct Split {
        var key: OrderKey
        var node: UnsafeMutableRawPointer
        var count: Int
    }

    /// Adds `row`, whose device has its id already, under a key that is not in the order.
    mutating func insert(_ key: OrderKey, _ row: UInt32, _ devices: UnsafePointer<DeviceRow>) {
        if let split = self.insert(key, row, devices, into: self.root, height: self.height) {
            let branch = OrderBranch.make()
            self.branchCount += 1
            branch.insert(OrderKey(value: .min, id: .min), self.root, self.count + 1 - split.count, at: 0)
            branch.insert(split.key, split.node, split.count, at: 1)
            self.root = branch.block
            self.height += 1
        }
        self.count += 1
    }

    private mutating func insert(
        _ key: OrderKey, _ row: UInt32, _ devices: UnsafePointer<DeviceRow>, into node: UnsafeMutableRawPointer,
        height: Int
    ) -> Split? {
        guard height > 0 else {
            return self.insert(key, row, devices, into: OrderLeaf(block: node))
        }
        let branch = OrderBranch(block: node)
        let index = branch.child(for: key)
        let split = self.insert(key, row, devices, into: branch.children[index], height: height - 1)
        branch.counts[index] += 1
        guard let split else { return nil }
        branch.counts[index] -= split.count
        if branch.childCount < OrderBranch.capacity {
            branch.insert(split.key, split.node, split.count, at: index + 1)
            return nil
        }
        let right = OrderBranch.make()
        self.branchCount += 1
        if index + 1 == branch.childCount {
            right.insert(split.key, split.node, split.count, at: 0)
        } else {
            let middle = OrderBranch.capacity / 2
            branch.move(from: middle, to: right)
            let target = index + 1 <= middle ? branch : right
            target.insert(split.key, split.node, split.count, at: index + 1 <= middle ? index + 1 : index + 1 - middle)
        }
        return Split(key: right.keys[0], node: right.block, count: right.entryCount)
    }

    private mutating func insert(
        _ key: OrderKey, _ row: UInt32, _ devices: UnsafePointer<DeviceRow>, into leaf: OrderLeaf
    ) -> Split? {
        let index = leaf.rank(key, inclusive: false, devices)
        guard leaf.count == OrderLeaf.capacity else {
            leaf.insert(key.value, row, at: index)
            return nil
        }
        let right = OrderLeaf.make()
        self.leafCount += 1
        leaf.link(right)
        if index == leaf.count, right.next == nil {
            right.insert(key.value, row, at: 0)
            return Split(key: key, node: right.block, count: 1)
        }
        let middle = OrderLeaf.capacity / 2
        leaf.move(from: middle, to: right)
        if index <= middle {
            leaf.insert(key.value, row, at: index)
        } else {
            right.insert(key.value, row, at: index - middle)
        }
        return Split(key: right.key(at: 0, devices), node: right.block, count: right.count)
    }

    /// Removes the entry with `key`, which is in the order.
    mutating func remove(_ key: OrderKey, _ devices: UnsafePointer<DeviceRow>) {
        self.remove(key, devices, from: self.root, height: self.height)
        self.count -= 1
        while self.height > 0, OrderBranch(block: self.root).childCount == 1 {
            let only = OrderBranch(block: self.root).children[0]
            free(self.root)
            self.branchCount -= 1
            self.root = only
            self.height -= 1
        }
    }

    private mutating func remove(
        _ key: OrderKey, _ devices: UnsafePointer<DeviceRow>, from node: UnsafeMutableRawPointer, height: Int
    ) {
        guard height > 0 else {
            let leaf = OrderLeaf(block: node)
            let index = leaf.rank(key, inclusive: false, devices)
            precondition(index < leaf.count && leaf.key(at: index, devices) == key, "the order does not hold this key")
            return leaf.remove(at: index)
        }
        let branch = OrderBranch(block: node)
        let index = branch.child(for: key)
        self.remove(key, devices, from: branch.children[index], height: height - 1)
        branch.counts[index] -= 1
        if height == 1 {
            self.mendLeaf(index, of: branch)
        } else {
            self.mendBranch(index, of: branch)
        }
    }

    /// Merges a leaf that has become small with a neighbour, unless both together would be nearly full.
    ///
    /// An empty leaf stays only where it is its parent's one child.
    private mutating func mendLeaf(_ index: Int, of parent: OrderBranch) {
        guard OrderLeaf(block: parent.children[index]).count < OrderLeaf.capacity / 4 else { return }
        for left in [index, index - 1] where left >= 0 && left + 1 < parent.childCount {
            let first = OrderLeaf(block: parent.children[left])
            let second = OrderLeaf(block: parent.children[left + 1])
            let sum = first.count + second.count
            guard sum <= OrderLeaf.capacity / 4 * 3 || first.count == 0 || second.count == 0 else { continue }
            second.move(from: 0, to: first)
            second.unlinkAndFree()
            self.leafCount -= 1
            parent.counts[left] += parent.counts[left + 1]
            return parent.remove(at: left + 1)
        }
    }

    private mutating func mendBranch(_ index: Int, of parent: OrderBranch) {
        guard OrderBranch(block: parent.children[index]).childCount < OrderBranch.capacity / 4 else { return }
        for left in [index, index - 1] where left >= 0 && left + 1 < parent.childCount {
            let first = OrderBranch(block: parent.children[left])
            let second = OrderBranch(block: parent.children[left + 1])
            guard first.childCount + second.childCount <= OrderBranch.capacity / 4 * 3 else { continue }
            // The first key of a branch is not kept true; between its neighbours it must be.
            second.keys[0] = parent.keys[left + 1]
            second.move(from: 0, to: first)
            free(second.block)
            self.branchCount -= 1
            parent.counts[left] += parent.counts[left + 1]
            return parent.remove(at: left + 1)
        }
    }

    private static func destroy(_ node: UnsafeMutableRawPointer, height: Int) {
        if height > 0 {
            let branch = OrderBranch(block: node)
            for index in 0..<branch.childCount {
                Self.destroy(branch.children[index], height: height - 1)
            }
        }
        free(node)
    }
}
