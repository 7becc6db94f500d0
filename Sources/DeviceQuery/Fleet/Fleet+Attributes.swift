// The latest values of a device's named properties, kept by device.

internal import DeviceModel

/// The attribute keys of a project: by text without regard to case, by id, and by their order.
struct AttributeKeyTable {
    private(set) var records: [AttributeKeyRecord] = []
    /// Each key's text in lower case, by which keys are found and sorted.
    private(set) var foldedTexts: [String] = []
    private var byID: [AttributeKeyID: Int] = [:]
    private var byText: [String: Int] = [:]

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
    }
}

extension Fleet {
    func attributeList(of row: UInt32) -> [AttributeSlot] {
        let place = self.rows[Int(row)].attributes
        return place == DeviceRow.noAttributes ? [] : self.attributeLists[Int(place)]
    }

    /// Sets an attribute, or unsets it where `state` is nil. - Complexity: O(attributes of the device).
    mutating func setAttribute(_ key: Int, of row: UInt32, to state: AttributeState?) {
        let text = self.attributeKeys.foldedTexts[key]
        var place = self.rows[Int(row)].attributes
        if place == DeviceRow.noAttributes {
            guard state != nil else { return }
            place = self.takeAttributeList()
            self.rows.base[Int(row)].attributes = place
        }
        let list = Int(place)
        let index =
            self.attributeLists[list].firstIndex { self.attributeKeys.foldedTexts[$0.key] >= text }
            ?? self.attributeLists[list].count
        let isPresent = index < self.attributeLists[list].count && self.attributeLists[list][index].key == key
        switch (state, isPresent) {
        case (let state?, true):
            self.attributeLists[list][index].state = state
        case (let state?, false):
            self.attributeLists[list].insert(AttributeSlot(key: key, state: state), at: index)
            self.attributeCount += 1
        case (nil, true):
            self.attributeLists[list].remove(at: index)
            self.attributeCount -= 1
            if self.attributeLists[list].isEmpty {
                self.dropAttributes(of: row)
            }
        case (nil, false):
            break
        }
    }

    mutating func dropAttributes(of row: UInt32) {
        let place = self.rows[Int(row)].attributes
        guard place != DeviceRow.noAttributes else { return }
        self.attributeCount -= self.attributeLists[Int(place)].count
        self.attributeLists[Int(place)] = []
        self.freeAttributeLists.append(place)
        self.rows.base[Int(row)].attributes = DeviceRow.noAttributes
    }

    private mutating func takeAttributeList() -> UInt32 {
        if let place = self.freeAttributeLists.popLast() { return place }
        self.attributeLists.append([])
        return UInt32(self.attributeLists.count - 1)
    }
}
