// Checks that every index says the same, for tests.

internal import DeviceModel

extension Fleet {
    /// - Throws: the first contradiction found. - Complexity: O(n log n).
    func checkInvariants() throws(IndexError) {
        let rows = UnsafePointer(self.rows.base)
        try self.byID.checkInvariants(self.idTies) { rows[Int($0)].id }
        try self.byLastSeen.checkInvariants(self.idTies) { rows[Int($0)].lastSeen }
        try self.checkRows()
        try self.checkLazyOrders()
        try self.checkPartialOrders()
        try self.checkAttributes()
        for field in DictionaryField.allCases {
            try self.checkRowSets(of: field)
        }
        try self.checkCatalog()
    }

    private func checkRows() throws(IndexError) {
        var usedCount = 0
        var lastID: Int64 = 0
        for row in 0..<UInt32(self.rows.count) {
            let device = self.rows[Int(row)]
            if device.isFree { continue }
            usedCount += 1
            if self.idTies.isInOrder(row) {
                try expect(device.id > lastID, "row \(row) is not said to lie in the order of ids if it does not")
                lastID = device.id
            }
            for field in DictionaryField.allCases {
                try expect(self.code(field, of: row) == device.code(field), "row \(row) has its code of \(field)")
            }
            try expect(device.lastSeen == self.seen[Int(row)], "row \(row) was last seen when it says")
            try expect(self.row(serial: self.serials.text(device.serial)) == row, "row \(row) is found by its serial")
            try expect(self.row(id: DeviceID(rawValue: device.id)) == row, "row \(row) is found by its id")
            for field in DictionaryField.allCases {
                let code = device.code(field)
                if field == .release, code == DeviceRow.noRelease {
                    try expect(self.unreleased.contains(row), "row \(row) is in the set of those without a release")
                    continue
                }
                try expect(self.rowSet(code, in: field).contains(row), "row \(row) is in the set of its \(field)")
            }
        }
        var freeCount = 0
        var free = self.firstFreeRow
        while free != DeviceRow.noRow, freeCount <= self.rows.count {
            try expect(self.rows[Int(free)].isFree, "row \(free) of the free list is free")
            freeCount += 1
            free = self.rows[Int(free)].owner
        }
        try expect(usedCount + freeCount == self.rows.count, "each row is in use or in the free list")
        try expect(usedCount == self.deviceCount, "the count of devices is that of rows in use")
        try expect(self.serialTable.count == usedCount, "the table of serials holds the devices and no more")
        try expect(
            self.byID.count == usedCount && self.byLastSeen.count == usedCount,
            "the orders hold the devices and no more")
        try expect(
            Int(self.unreleased.count) + self.releasedCount == usedCount,
            "each row has a release or is among those without")
    }

    private var releasedCount: Int {
        (0..<UInt32(self.releases.codeCount)).reduce(0) { $0 + Int(self.releases.rows($1).count) }
    }

    private func checkLazyOrders() throws(IndexError) {
        let rows = UnsafePointer(self.rows.base)
        for name in OrderName.ofDevices {
            guard let tree = self.tree(name) else { continue }
            try expect(tree.pointee.count == self.deviceCount, "the order \(name) holds the devices and no more")
            switch name {
            case .createdDate:
                try tree.pointee.checkInvariants(self.idTies) { rows[Int($0)].createdDate.microseconds }
            case .updatedDate:
                try tree.pointee.checkInvariants(self.idTies) { rows[Int($0)].updatedDate.microseconds }
            default:
                let texts = self.serials.reader
                try tree.pointee.checkInvariants(self.serialTies) { texts.text(rows[Int($0)].serial).sortValue }
            }
        }
    }

    private func checkPartialOrders() throws(IndexError) {
        let rows = UnsafePointer(self.rows.base)
        var completeCount = 0
        for name in self.partialOrderNames {
            guard case .lastSeen(let field, let code) = name, let order = self.partialOrder(field, code) else {
                continue
            }
            guard order.pointee.isBegun else { continue }
            let tree = UnsafePointer(order.pointee.unfinished)
            try tree.pointee.checkInvariants(self.idTies) { rows[Int($0)].lastSeen }
            var expectedCount = 0
            self.rowSet(code, in: field).forEach { row in
                let place = BuildingPlace(value: rows[Int(row)].lastSeen, id: rows[Int(row)].id)
                if place < order.pointee.covered { expectedCount += 1 }
            }
            var rightCount = 0
            tree.pointee.forEach(in: 0..<tree.pointee.count, isDescending: false) { row in
                rightCount += rows[Int(row)].code(field) == code ? 1 : 0
                return true
            }
            try expect(
                tree.pointee.count == expectedCount && rightCount == expectedCount,
                "the order \(name) holds the devices of its value as far as it has come, and no more")
            if order.pointee.isComplete { completeCount += 1 }
        }
        try expect(completeCount == self.completePartialOrderCount, "complete partial orders are counted")
    }

    private func checkAttributes() throws(IndexError) {
        var listed = 0
        for row in 0..<UInt32(self.rows.count) where !self.rows[Int(row)].isFree {
            let list = self.rows[Int(row)].attributes
            let entries = self.attributeLists[list]
            try expect(list == AttributeLists.none || !entries.isEmpty, "row \(row) keeps no empty list")
            try expect(
                zip(entries, entries.dropFirst()).allSatisfy { $0.key < $1.key }, "the list of row \(row) is in order")
            for entry in entries {
                let column = self.columns[Int(entry.key)]
                try expect(column.pointee.rows[Int(entry.slot)] == row, "the value of row \(row) knows its row")
                try expect(column.pointee.presence.contains(row), "row \(row) is among those with a value")
            }
            listed += entries.count
        }
        var columnCount = 0
        for key in 0..<self.columns.count {
            let column = self.columns[key]
            columnCount += column.pointee.count
            guard let tree = column.pointee.order.tree else { continue }
            try expect(tree.pointee.count == column.pointee.count, "an order of values holds them and no more")
            try tree.pointee.checkInvariants(self.slotTies(key)) { column.pointee.sortValue($0) }
        }
        try expect(columnCount == listed, "the columns hold what the lists name and no more")
    }

    private func checkRowSets(of field: DictionaryField) throws(IndexError) {
        let codeCount =
            switch field {
            case .owner: self.owners.codeCount
            case .hardware: self.hardware.codeCount
            case .release: self.releases.codeCount
            case .cohort: self.cohorts.codeCount
            }
        let dropsUnused = field == .owner || field == .hardware
        for code in 0..<UInt32(codeCount) {
            let set = self.rowSet(code, in: field)
            let isUsed =
                switch field {
                case .owner: self.owners.isUsed(code)
                case .hardware: self.hardware.isUsed(code)
                case .release: self.releases.isUsed(code)
                case .cohort: self.cohorts.isUsed(code)
                }
            try expect(set.count == 0 || isUsed, "code \(code) of \(field) has rows only while in use")
            try expect(!dropsUnused || !isUsed || set.count > 0, "code \(code) of \(field) goes with its last row")
            var rows: [UInt32] = []
            set.forEach { rows.append($0) }
            try expect(rows.count == Int(set.count), "the set of code \(code) of \(field) counts its rows")
            try expect(
                zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }, "the set of code \(code) of \(field) ascends")
            for row in rows {
                try expect(
                    self.rows[Int(row)].code(field) == code,
                    "row \(row) has code \(code) of \(field), in whose set it is")
                try expect(!self.rows[Int(row)].isFree, "row \(row) is in a set and in use")
            }
        }
    }

    private func checkCatalog() throws(IndexError) {
        try expect(self.cohortIDsInOrder == self.cohortCodes.keys.sorted(), "the cohorts in order are the cohorts")
        try expect(self.cohorts.count == self.cohortCodes.count, "each cohort has a slug")
        try expect(self.releases.count == self.releaseCodes.count, "each release has a text")
        try expect(self.releaseIDsInOrder == self.releaseCodes.keys.sorted(), "the releases in order are the releases")
        try self.owners.checkOrder()
        try self.hardware.checkOrder()
        try self.releases.checkOrder()
        try self.cohorts.checkOrder()
        for (id, code) in self.cohortCodes {
            try expect(self.cohortIDs[Int(code)] == id, "cohort \(id.rawValue) is under its code")
        }
        var releaseCount = 0
        for code in 0..<UInt32(self.versions.codeCount) where self.versions.isUsed(code) {
            releaseCount += self.releasesOfVersion[Int(code)].count
            try expect(!self.releasesOfVersion[Int(code)].isEmpty, "a version goes with its last release")
        }
        try expect(releaseCount == self.releaseCodes.count, "each release is under its version")
        for (id, code) in self.releaseCodes {
            try expect(self.releaseIDs[Int(code)] == id, "release \(id.rawValue) is under its code")
        }
    }
}

extension TextDictionary {
    fileprivate func checkOrder() throws(IndexError) {
        try expect(self.byText.count == self.count, "the order of texts holds the texts and no more")
        try self.byText.checkInvariants(self.ties) { self.text($0).sortValue }
    }
}

extension RankedTree {
    /// - Parameter value: what each number is under.
    /// - Throws: the first contradiction found.
    func checkInvariants(_ ties: some TieBreaker, value: (UInt32) -> Int64) throws(IndexError) {
        var previous: RankedEntry?
        let count = try self.check(self.root, height: self.height, first: nil, &previous, ties, value)
        try expect(count == self.count, "a tree counts its entries")
        var walked = 0
        self.forEach(in: 0..<self.count, isDescending: false) { _ in
            walked += 1
            return true
        }
        try expect(walked == self.count, "the leaves of a tree are linked")
    }

    private func check(
        _ node: UnsafeMutableRawPointer, height: Int, first: RankedEntry?, _ previous: inout RankedEntry?,
        _ ties: some TieBreaker, _ value: (UInt32) -> Int64
    ) throws(IndexError) -> Int {
        guard height > 0 else {
            let leaf = TreeLeaf(block: node)
            if let first { try expect(leaf.count > 0 && leaf.entry(at: 0) == first, "a subtree begins with its first") }
            for index in 0..<leaf.count {
                let entry = leaf.entry(at: index)
                try expect(entry.value == value(entry.number), "an entry is under its value")
                if let previous {
                    try expect(
                        previous.value < entry.value
                            || (previous.value == entry.value && ties.isBefore(previous.number, entry.number)),
                        "a tree ascends")
                }
                previous = entry
            }
            return leaf.count
        }
        let branch = TreeBranch(block: node)
        var sum = 0
        for index in 0..<branch.childCount {
            let count = try self.check(
                branch.children[index], height: height - 1, first: index == 0 ? first : branch.first(of: index),
                &previous, ties, value)
            try expect(count == branch.counts[index], "a branch counts the entries of each subtree")
            sum += count
        }
        return sum
    }
}

private func expect(_ isTrue: Bool, _ claim: @autoclosure () -> String) throws(IndexError) {
    guard isTrue else { throw IndexError("not so: " + claim()) }
}
