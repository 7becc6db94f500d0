// Forgetting what is older or more than the limits keep.

internal import DeviceModel

extension Connection {
    /// Deletes the oldest requests beyond `countMax` or from before `oldest`, inside the open transaction.
    ///
    /// - Returns: whether there may be more of them.
    func pruneRequests(countMax: Int, oldest: Int64, rowCountMax: Int) throws(SQLiteFailure) -> Bool {
        let range = try self.statement(.selectRequestRange)
        defer { range.reset() }
        guard try range.next(), let first = range.optionalInt64(0), let last = range.optionalInt64(1) else {
            return false
        }
        let keptFrom = last - Int64(countMax) + 1
        let oldestRows = try self.statement(.selectOldestRequests)
        oldestRows.bind(Int64(rowCountMax), at: 1)
        defer { oldestRows.reset() }
        var through = first - 1
        var rowCount = 0
        while try oldestRows.next() {
            guard oldestRows.int64(0) < keptFrom || oldestRows.int64(1) < oldest else { break }
            through = oldestRows.int64(0)
            rowCount += 1
        }
        oldestRows.reset()
        guard rowCount > 0 else { return false }
        try self.run(.deleteRequests, through)
        return rowCount == rowCountMax
    }

    /// Deletes names that no change of the log refers to any more, inside the open transaction.
    ///
    /// - Returns: whether there may be more of them.
    func pruneRetired(rowCountMax: Int) throws(SQLiteFailure) -> Bool {
        let delete = try self.statement(.deleteRetired)
        delete.bind(Int64(rowCountMax), at: 1)
        try delete.run()
        return delete.changeCount == rowCountMax
    }

    /// Deletes the oldest changes of the log if they are from before `oldest` or the log is over `byteCountMax`,
    /// inside the open
    /// transaction. Only what is folded lies in a segment, so nothing else can go.
    ///
    /// - Returns: whether there may be more of them.
    func pruneLog(byteCountMax: Int, oldest: Int64, rowCountMax: Int) throws(SQLiteFailure) -> Bool {
        guard let segment = try self.segment(.selectOldestSegment) else { return false }
        let sum = try self.statement(.sumSegments)
        defer { sum.reset() }
        let byteCount = try sum.next() ? sum.int64(0) : 0
        guard segment.time + LogSegment.durationMicrosecondsMax < oldest || byteCount > Int64(byteCountMax) else {
            return false
        }
        let select = try self.statement(.selectFirstRevision)
        defer { select.reset() }
        if try select.next(), let first = select.optionalInt64(0), first <= segment.through {
            try self.run(.deleteRecords, min(segment.through, first + Int64(rowCountMax) - 1))
        } else {
            try self.run(.deleteSegment, segment.through)
        }
        return true
    }
}
