// Checks that every index says the same, for tests.

internal import DeviceModel

extension Fleet {
    /// - Throws: the first contradiction found. - Complexity: O(n log n).
    func checkInvariants() throws(IndexError) {
        try self.byID.checkInvariants(self.rows.base)
        try self.byLastSeen.checkInvariants(self.rows.base)
        try self.checkRows()
        for field in DictionaryField.allCases {
            try self.checkRowSets(of: field)
        }
        try self.checkCatalog()
    }

    private func checkRows() throws(IndexError) {
        var usedCount = 0
        var attributeCount = 0
        for row in 0..<UInt32(self.rows.count) {
            let device = self.rows[Int(row)]
            if device.isFree { continue }
            usedCount += 1
            try expect(self.row(serial: self.serials.text(device.serial)) == row, "row \(row) is found by its serial")
            try expect(self.row(id: DeviceID(rawValue: device.id)) == row, "row \(row) is found by its id")
            try expect(
                self.byLastSeen.row(device.seenKey, self.rows.base) == row, "row \(row) has its place by last_seen")
            for field in DictionaryField.allCases {
                let code = device.code(field)
                if field == .release, code == DeviceRow.noRelease { continue }
                try expect(self.rowSet(code, in: field).contains(row), "row \(row) is in the set of its \(field)")
            }
            let attributes = self.attributeList(of: row)
            attributeCount += attributes.count
            let keys = attributes.map { self.attributeKeys.foldedTexts[$0.key] }
            try expect(zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }, "the attributes of row \(row) are in order")
            try expect(
                device.attributes == DeviceRow.noAttributes || !attributes.isEmpty, "row \(row) keeps no empty list")
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
        try expect(attributeCount == self.attributeCount, "the count of attributes is that of the lists")
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

extension RowOrder {
    /// - Throws: the first contradiction found.
    func checkInvariants(_ devices: UnsafePointer<DeviceRow>) throws(IndexError) {
        var previous: OrderKey?
        let count = try self.check(self.root, height: self.height, lower: nil, upper: nil, &previous, devices)
        try expect(count == self.count, "an order counts its entries")
        var walked = 0
        self.forEach(in: 0..<self.count, descending: false) { _ in
            walked += 1
            return true
        }
        try expect(walked == self.count, "the leaves of an order are linked")
    }

    private func check(
        _ node: UnsafeMutableRawPointer, height: Int, lower: OrderKey?, upper: OrderKey?, _ previous: inout OrderKey?,
        _ devices: UnsafePointer<DeviceRow>
    ) throws(IndexError) -> Int {
        guard height > 0 else {
            let leaf = OrderLeaf(block: node)
            for index in 0..<leaf.count {
                let key = leaf.key(at: index, devices)
                if let previous { try expect(previous < key, "an order ascends") }
                if let lower { try expect(lower <= key, "a subtree begins with its key") }
                if let upper { try expect(key < upper, "a subtree ends before the next one's key") }
                previous = key
            }
            return leaf.count
        }
        let branch = OrderBranch(block: node)
        var sum = 0
        for index in 0..<branch.childCount {
            let count = try self.check(
                branch.children[index], height: height - 1, lower: index == 0 ? lower : branch.keys[index],
                upper: index + 1 < branch.childCount ? branch.keys[index + 1] : upper, &previous, devices
            )
            try expect(count == branch.counts[index], "a branch counts the entries of each subtree")
            sum += count
        }
        return sum
    }
}

private func expect(_ isTrue: Bool, _ claim: @autoclosure () -> String) throws(IndexError) {
    guard isTrue else { throw IndexError("not so: " + claim()) }
}
