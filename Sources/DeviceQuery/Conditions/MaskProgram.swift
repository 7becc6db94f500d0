// A condition compiled for bitmaps: sixty-five thousand rows at a time.

internal import CWordKernels
internal import DeviceModel

/// Bitmaps of row sets, united, intersected and turned over, one chunk of rows after another.
///
/// Where a part of a condition has no sets, its rows are a part of a bitmap's, and a ``RowProgram`` asks the rest.
/// - Complexity: a chunk costs up to 8 KiB a set and operation.
struct MaskProgram: ~Copyable {
    enum Node {
        /// The union of sets, side by side in `sets`; or its complement.
        case union(start: Int, count: Int, isComplement: Bool)
        case all([Node])
        case any([Node])
    }

    /// A set by what it is the set of: the set itself moves as the fleet changes.
    enum SetName {
        case code(DictionaryField, UInt32)
        case unreleased
        case present(Int)
    }

    private let root: Node?
    private var sets: Column<RowSet>
    private var names: [SetName]
    /// Where the next chunk begins in a set that is a list; chunks are asked for in ascending order.
    private var cursors: Column<UInt32>
    /// Masks deep that the tree is.
    private let depth: Int

    static var wordCount: Int { RowChunk.wordCount }

    /// How many masks an evaluation needs.
    var maskCount: Int { self.depth + 1 }

    /// Takes from the conjuncts of `condition` what has sets.
    ///
    /// - Parameter residual: what remains to be asked of the rows found.
    init(_ condition: Condition, residual: inout Condition, in fleet: UnsafePointer<Fleet>) {
        var names: [SetName] = []
        var nodes: [Node] = []
        var rest: [Condition] = []
        for part in condition.conjuncts {
            var isExact = true
            if let node = Self.node(part, &names, &isExact) { nodes.append(node) } else { isExact = false }
            if !isExact { rest.append(part) }
        }
        residual = .every(rest)
        self.root = nodes.count > 1 ? .all(nodes) : nodes.first
        self.depth = self.root.map(Self.depth) ?? 0
        self.names = names
        self.sets = Column(capacity: names.count)
        self.cursors = Column(capacity: names.count)
        for name in names {
            self.sets.append(Self.set(name, fleet))
            self.cursors.append(0)
        }
    }

    private static func node(_ condition: Condition, _ names: inout [SetName], _ isExact: inout Bool) -> Node? {
        switch condition {
        case .test(let test, let isNegated):
            return self.node(test, isNegated, &names, &isExact)
        case .all(let parts):
            var nodes: [Node] = []
            for part in parts {
                if let node = self.node(part, &names, &isExact) { nodes.append(node) } else { isExact = false }
            }
            return nodes.count > 1 ? .all(nodes) : nodes.first
        case .any(let parts):
            var nodes: [Node] = []
            let nameCount = names.count
            for part in parts {
                guard let node = self.node(part, &names, &isExact) else {
                    names.removeLast(names.count - nameCount)
                    return nil
                }
                nodes.append(node)
            }
            return .any(nodes)
        case .always, .never:
            return nil
        }
    }

    private static func node(
        _ test: RowTest, _ isNegated: Bool, _ names: inout [SetName], _ isExact: inout Bool
    ) -> Node? {
        let start = names.count
        switch test {
        case .codes(let field, let list):
            names += list.codes.map { .code(field, $0) }
            return .union(start: start, count: list.codes.count, isComplement: isNegated)
        case .released:
            names.append(.unreleased)
            return .union(start: start, count: 1, isComplement: !isNegated)
        case .attribute(let key, .present):
            names.append(.present(key))
            return .union(start: start, count: 1, isComplement: isNegated)
        case .attribute(let key, _):
            isExact = false
            guard !isNegated else { return nil }
            names.append(.present(key))
            return .union(start: start, count: 1, isComplement: false)
        case .number, .text, .rows:
            return nil
        }
    }

    private static func depth(_ node: Node) -> Int {
        switch node {
        case .union: 1
        case .all(let nodes), .any(let nodes): 1 + (nodes.map(Self.depth).max() ?? 0)
        }
    }

    private static func set(_ name: SetName, _ fleet: UnsafePointer<Fleet>) -> RowSet {
        switch name {
        case .code(let field, let code): fleet.pointee.rowSet(code, in: field)
        case .unreleased: fleet.pointee.unreleased
        case .present(let key): fleet.pointee.columns[key].pointee.presence
        }
    }

    /// Looks its sets up again, after the fleet may have changed.
    mutating func refresh(_ fleet: UnsafePointer<Fleet>) {
        for index in 0..<self.sets.count {
            self.sets[index] = Self.set(self.names[index], fleet)
            self.cursors[index] = 0
        }
    }

    // MARK: Evaluating

    /// Sets the bits of the rows of one chunk in the first of `masks`, which are ``maskCount`` masks side by side.
    ///
    /// A complement has the bits of rows that are free, or beyond the last one, too.
    ///
    /// - Returns: false where certainly no bit is set.
    mutating func evaluate(chunk: Int, into masks: UnsafeMutablePointer<UInt64>) -> Bool {
        guard let root = self.root else {
            masks.update(repeating: .max, count: Self.wordCount)
            return true
        }
        if case .all(let nodes) = root { return self.intersect(nodes, chunk, masks) }
        let words = self.words(of: root, chunk, masks)
        if words != UnsafePointer(masks) { masks.update(from: words, count: Self.wordCount) }
        return true
    }

    /// The words of a node: those of a set where it is just that, else made in the first of `masks`.
    private mutating func words(
        of node: Node, _ chunk: Int, _ masks: UnsafeMutablePointer<UInt64>
    ) -> UnsafePointer<UInt64> {
        switch node {
        case .union(let start, 1, false):
            if let words = self.sets.base[start].words(chunk: chunk) { return words }
            self.unite(start, 1, chunk, masks)
        case .union(let start, let count, let isComplement):
            self.unite(start, count, chunk, masks)
            if isComplement {
                for word in 0..<Self.wordCount { masks[word] = ~masks[word] }
            }
        case .all(let nodes):
            _ = self.intersect(nodes, chunk, masks)
        case .any(let nodes):
            self.combine(nodes, chunk, masks) { rollcall_words_unite($0, $1, $2, Self.wordCount) }
        }
        return UnsafePointer(masks)
    }

    /// Makes the intersection of nodes in the first of `masks`, and tells whether there is a row in it.
    private mutating func intersect(_ nodes: [Node], _ chunk: Int, _ masks: UnsafeMutablePointer<UInt64>) -> Bool {
        var hasRows = false
        self.combine(nodes, chunk, masks) { hasRows = rollcall_words_intersect($0, $1, $2, Self.wordCount) }
        return hasRows
    }

    private mutating func unite(_ start: Int, _ count: Int, _ chunk: Int, _ mask: UnsafeMutablePointer<UInt64>) {
        mask.update(repeating: 0, count: Self.wordCount)
        for index in start..<(start + count) {
            self.sets.base[index].unite(chunk: chunk, cursor: &self.cursors.base[index], into: mask)
        }
    }

    /// Joins two nodes or more in the first of `masks`, one after another.
    @inline(__always)
    private mutating func combine(
        _ nodes: [Node], _ chunk: Int, _ masks: UnsafeMutablePointer<UInt64>,
        _ join: (UnsafeMutablePointer<UInt64>, UnsafePointer<UInt64>, UnsafePointer<UInt64>) -> Void
    ) {
        var left = self.words(of: nodes[0], chunk, masks)
        for node in nodes.dropFirst() {
            let right = self.words(of: node, chunk, masks + Self.wordCount)
            join(masks, left, right)
            left = UnsafePointer(masks)
        }
    }
}

// MARK: - Estimates

extension MaskProgram {
    /// What a chunk of a condition's bitmaps costs, in nanoseconds, and whether they leave nothing to ask; nil where it has none.
    static func chunkCost(_ condition: Condition) -> (cost: Double, isExact: Bool)? {
        switch condition {
        case .always, .never: return nil
        case .test(let test, let isNegated): return self.chunkCost(test, isNegated)
        case .all(let parts):
            var sum: (cost: Double, isExact: Bool)?
            var isExact = true
            for part in parts {
                guard let part = self.chunkCost(part) else {
                    isExact = false
                    continue
                }
                isExact = isExact && part.isExact
                sum = ((sum?.cost ?? 0) + part.cost, isExact)
            }
            return sum.map { ($0.cost, isExact) }
        case .any(let parts):
            var sum = (cost: 0.0, isExact: true)
            for part in parts {
                guard let part = self.chunkCost(part) else { return nil }
                sum = (sum.cost + part.cost, sum.isExact && part.isExact)
            }
            return sum
        }
    }

    private static func chunkCost(_ test: RowTest, _ isNegated: Bool) -> (cost: Double, isExact: Bool)? {
        switch test {
        case .codes(_, let list):
            let listCost = Double(list.codes.count - list.largeCount) * StepCost.chunkOfList
            return (listCost + Double(list.largeCount) * StepCost.chunkOfLargeSet, true)
        case .released, .attribute(_, .present): return (StepCost.chunkOfLargeSet, true)
        case .attribute: return isNegated ? nil : (StepCost.chunkOfLargeSet, false)
        case .number, .text, .rows: return nil
        }
    }
}
