// Moving what the change log says into the device and attribute rows.

internal import DeviceModel

/// A stretch of the log on its way into the rows.
struct FoldWindow {
    /// The last revision that it covers, and what its records take up.
    let through: Int64
    let byteCount: Int
    private let devices: [ReducedDevice]
    private var position = 0

    /// How many changes, and how many bytes of records, are reduced at a time.
    ///
    /// Large, because the changes of many devices that are neighbours then share their pages: a page is written once
    /// for
    /// all of them.
    static let changeCountMax = 262_144
    static let byteCountMax = 32 << 20

    init(_ reduction: consuming DeviceReduction) {
        self.through = reduction.through
        self.byteCount = reduction.byteCount
        self.devices = reduction.sorted()
    }

    /// The devices of the next slice: at most `rowCountMax` rows, though always one device.
    func nextSlice(rowCountMax: Int) -> ArraySlice<ReducedDevice> {
        var end = self.position
        var rowCount = 0
        while end < self.devices.count {
            rowCount += self.devices[end].rowCount
            guard rowCount <= rowCountMax || end == self.position else { break }
            end += 1
        }
        return self.devices[self.position..<end]
    }

    func isLast(_ slice: ArraySlice<ReducedDevice>) -> Bool {
        slice.endIndex == self.devices.count
    }

    mutating func advance(past slice: ArraySlice<ReducedDevice>) {
        self.position = slice.endIndex
    }
}

extension Connection {
    /// Reads and reduces the log after one revision and up to another, or as much as a window takes.
    func readWindow(after first: Int64, through last: Int64) throws(SQLiteFailure) -> FoldWindow {
        var reduction = DeviceReduction(after: first)
        let select = try self.statement(.selectRecords)
        select.bind(first, at: 1)
        select.bind(last, at: 2)
        select.bind(Int64(FoldWindow.changeCountMax), at: 3)
        defer { select.reset() }
        var isCut = false
        while try select.next() {
            try reduction.add(record: select.bytes(2), revision: select.int64(0), device: select.int64(1))
            if reduction.byteCount >= FoldWindow.byteCountMax {
                isCut = true
                break
            }
        }
        if !isCut, reduction.changeCount < FoldWindow.changeCountMax {
            reduction.finish(through: last)
        }
        return FoldWindow(reduction)
    }

    /// Writes one slice inside the open transaction.
    func write(_ slice: ArraySlice<ReducedDevice>) throws(SQLiteFailure) {
        for device in slice {
            guard let edits = device.edits else {
                try self.writeRow(of: device.id, device.sighting, nil)
                continue
            }
            if edits.isDeleted {
                try self.run(.deleteAttributesOfDevice, device.id.rawValue)
                try self.run(.deleteDevice, device.id.rawValue)
            } else {
                try self.writeRow(of: device.id, device.sighting, edits)
                try self.write(edits.attributes, of: device.id)
            }
        }
    }

    private func writeRow(
        of id: DeviceID, _ sighting: Sighting?, _ edits: ReducedDevice.Edits?
    ) throws(SQLiteFailure) {
        let isNew = edits?.isNew ?? false
        let query: Query
        switch (isNew, edits?.fields, sighting) {
        case (true, _, _): query = .replaceDevice
        case (false, .some, .some): query = .updateDevice
        case (false, .some, nil): query = .updateFields
        case (false, nil, .some): query = .updateSighting
        case (false, nil, nil): return
        }
        let statement = try self.statement(query)
        statement.bind(id.rawValue, at: 1)
        if isNew || sighting != nil {
            statement.bind(sighting?.lastSeen?.microseconds, at: 2)
            statement.bind(sighting?.release?.rawValue, at: 3)
        }
        if let fields = edits?.fields {
            statement.bind(fields.cohort.rawValue, at: 4)
            statement.bind(fields.updatedDate.microseconds, at: 5)
            statement.bind(fields.etagRevision.rawValue, at: 6)
            statement.bind(fields.ownerRef, at: 7)
            statement.bind(fields.hardwareVersion, at: 8)
        }
        if let edits, edits.isNew {
            statement.bind(edits.project.rawValue, at: 9)
            statement.bind(edits.createdDate.microseconds, at: 10)
            statement.bind(edits.serial, at: 11)
        }
        try statement.run()
    }

    private func write(
        _ attributes: [AttributeKeyID: AttributeState?], of device: DeviceID
    ) throws(SQLiteFailure) {
        for (key, state) in attributes {
            guard let state else {
                let delete = try self.statement(.deleteAttribute)
                delete.bind(device.rawValue, at: 1)
                delete.bind(key.rawValue, at: 2)
                try delete.run()
                continue
            }
            let replace = try self.statement(.replaceAttribute)
            replace.bind(device.rawValue, at: 1)
            replace.bind(key.rawValue, at: 2)
            replace.bind(Int64(state.value.dataType.rawValue), at: 3)
            switch state.value {
            case .int(let value): replace.bind(value, at: 4)
            case .float(let value): replace.bind(value, at: 4)
            case .bool(let value): replace.bind(Int64(value ? 1 : 0), at: 4)
            case .string(let value): replace.bind(value, at: 4)
            }
            replace.bind(state.time.microseconds, at: 5)
            replace.bind(state.createdDate.microseconds, at: 6)
            replace.bind(state.updatedDate.microseconds, at: 7)
            try replace.run()
        }
    }

    /// Marks a window as folded inside the transaction of its last slice, and remembers when, so that its age is known.
    func finish(_ window: borrowing FoldWindow, time: Int64) throws(SQLiteFailure) {
        try self.run(.updateFolded, window.through)
        var segment = LogSegment(through: window.through, time: time, byteCount: window.byteCount)
        // Neighbours in time are one segment: at a slow trickle, folds would otherwise leave more segments than
        // changes.
        if let newest = try self.segment(.selectNewestSegment), newest.takes(segment) {
            try self.run(.deleteSegment, newest.through)
            segment.time = newest.time
            segment.byteCount += newest.byteCount
        }
        let insert = try self.statement(.insertSegment)
        insert.bind(segment.through, at: 1)
        insert.bind(segment.time, at: 2)
        insert.bind(Int64(segment.byteCount), at: 3)
        try insert.run()
    }

    /// The segment that `query` selects; nil where there is none.
    func segment(_ query: Query) throws(SQLiteFailure) -> LogSegment? {
        let select = try self.statement(query)
        defer { select.reset() }
        guard try select.next() else { return nil }
        return LogSegment(through: select.int64(0), time: select.int64(1), byteCount: Int(select.int64(2)))
    }
}

/// A folded stretch of the log, by which it is pruned.
struct LogSegment {
    /// The last revision in it; it starts after the one before.
    var through: Int64
    /// When its first changes were folded, in microseconds since 1970.
    var time: Int64
    var byteCount: Int

    /// How long and how large a segment grows by what follows it.
    static let durationMicrosecondsMax: Int64 = 60_000_000
    private static let byteCountMax = 1 << 20

    fileprivate func takes(_ next: LogSegment) -> Bool {
        next.time - self.time < Self.durationMicrosecondsMax && self.byteCount + next.byteCount <= Self.byteCountMax
    }
}
