// The keys of a project's attributes, and the latest values of each device.

internal import DeviceModel

/// The attribute keys of a project: by text without regard to case, by id, and by their order.
struct AttributeKeyTable {
    private(set) var records: [AttributeKeyRecord] = []
    /// Each key's text in lower case, by which keys are found and sorted.
    private(set) var foldedTexts: [String] = []
    private var byID: [AttributeKeyID: Int] = [:]
    private var byText: [String: Int] = [:]
    /// The keys' places in the order of their folded texts.
    private(set) var inOrder: [Int] = []
    /// Where each key is in that order.
    private(set) var ranks: [Int] = []

    var count: Int { self.records.count }

    func index(_ text: String) -> Int? {
        self.byText[CustomMetric.folded(text)]
    }

    func index(id: AttributeKeyID) -> Int? {
        self.byID[id]
    }

    mutating func append(_ record: AttributeKeyRecord) throws(IndexError) {
        let text = CustomMetric.folded(record.metric.stringKey)
        guard self.byID[record.id] == nil, self.byText[text] == nil else {
            throw IndexError("attribute key \(record.id.rawValue): its id or its text \(quoted(text)) is taken")
        }
        self.byID[record.id] = self.count
        self.byText[text] = self.count
        self.foldedTexts.append(text)
        self.records.append(record)
        self.inOrder.insert(self.count - 1, at: self.placement(of: text))
        self.ranks = Array(repeating: 0, count: self.count)
        for (rank, index) in self.inOrder.enumerated() { self.ranks[index] = rank }
    }

    /// Where a folded text is or would be in the order of keys.
    func placement(of text: String) -> Int {
        var low = 0
        var high = self.inOrder.count
        while low < high {
            let middle = (low + high) >> 1
            if self.foldedTexts[self.inOrder[middle]] < text { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Fleet {
    /// The slot of a device's value in the column of `key`, if it has one.
    @inline(__always)
    func slot(of key: Int, row: UInt32) -> UInt32? {
        self.attributeLists.slot(of: UInt32(key), in: self.rows.base[Int(row)].attributes)
    }

    /// Sets an attribute, or unsets it where `state` is nil.
    ///
    /// - Complexity: O(attributes of the device), and O(log n) where the key has an order.
    mutating func setAttribute(_ key: Int, of row: UInt32, to state: AttributeState?) {
        let column = self.columns[key]
        let device = self.rows.base + Int(row)
        let known = self.slot(of: key, row: row)
        if let known { self.leaveOrder(key, known) }
        switch (state, known) {
        case (let state?, let slot?):
            column.pointee.replace(slot, with: state)
            self.enterOrder(key, slot)
        case (let state?, nil):
            let slot = column.pointee.insert(state, row: row)
            let entry = AttributeEntry(key: UInt32(key), slot: slot)
            device.pointee.attributes = self.attributeLists.insert(entry, into: device.pointee.attributes)
            self.enterOrder(key, slot)
        case (nil, let slot?):
            column.pointee.remove(slot)
            device.pointee.attributes = self.attributeLists.remove(UInt32(key), from: device.pointee.attributes)
        case (nil, nil):
            break
        }
    }

    mutating func dropAttributes(of row: UInt32) {
        let list = self.rows[Int(row)].attributes
        guard list != AttributeLists.none else { return }
        for entry in self.attributeLists[list] {
            self.leaveOrder(Int(entry.key), entry.slot)
            self.columns[Int(entry.key)].pointee.remove(entry.slot)
        }
        self.attributeLists.free(list)
        self.rows.base[Int(row)].attributes = AttributeLists.none
    }

    private func enterOrder(_ key: Int, _ slot: UInt32) {
        let column = self.columns[key]
        guard let tree = column.pointee.order.tree(covering: slot) else { return }
        tree.pointee.insert(column.pointee.sortValue(slot), slot, self.slotTies(key))
    }

    private func leaveOrder(_ key: Int, _ slot: UInt32) {
        let column = self.columns[key]
        guard let tree = column.pointee.order.tree(covering: slot) else { return }
        tree.pointee.remove(column.pointee.sortValue(slot), slot, self.slotTies(key))
    }
}
