// Everything that is stored, streamed to a loader from raw rows.

internal import DeviceModel
internal import FoundationEssentials

/// The one row that says where the store stands.
struct HeadRow {
    var head: StoreHead
    /// The last revision that the rows hold.
    var foldedThrough: Int64
    /// Whether the last to write closed the file properly.
    var isClean: Bool
}

extension Connection {
    /// Where the store stands.
    func readHead() throws(SQLiteFailure) -> HeadRow {
        let select = try self.statement(.selectHead)
        defer { select.reset() }
        guard try select.next() else { throw .malformed("the head is missing") }
        var marks = HighWaterMarks()
        marks.revision = Revision(rawValue: select.int64(3))
        marks.device = DeviceID(rawValue: select.int64(4))
        marks.project = ProjectID(rawValue: select.int64(5))
        marks.cohort = CohortID(rawValue: select.int64(6))
        marks.release = ReleaseID(rawValue: select.int64(7))
        marks.attributeKey = AttributeKeyID(rawValue: select.int64(8))
        return HeadRow(
            head: StoreHead(
                storeID: try select.uuid(0), sequence: select.int64(1), time: try select.timestamp(2),
                highWaterMarks: marks),
            foldedThrough: select.int64(9),
            isClean: select.int64(10) != 0
        )
    }
}

extension Connection {
    /// Runs `body` on the rows as they are with the whole log folded into them, and writes nothing to the file.
    ///
    /// The fold is rolled back: whether it can be trusted shows only when everything has been read. Its pages stay in
    /// memory until then, as many as the devices that it names take.
    func withFoldedRows(path: String, _ body: () throws(StoreError) -> Void) throws(StoreError) {
        var isFolded = false
        do {
            let row = try self.readHead()
            isFolded = row.foldedThrough >= row.head.highWaterMarks.revision.rawValue
            if !isFolded {
                // Pages that do not fit into the cache would go to the WAL before anything is committed.
                try self.execute("PRAGMA cache_spill = OFF")
                try self.foldInMemory(row)
            }
        } catch {
            self.forgetFold()
            throw .reading(path, error)
        }
        defer { if !isFolded { self.forgetFold() } }
        try body()
    }

    private func foldInMemory(_ row: HeadRow) throws(SQLiteFailure) {
        try self.statement(.begin).run()
        let last = row.head.highWaterMarks.revision.rawValue
        var foldedThrough = row.foldedThrough
        while foldedThrough < last {
            let window = try self.readWindow(after: foldedThrough, through: last)
            try self.write(window.nextSlice(rowCountMax: .max))
            foldedThrough = window.through
        }
    }

    private func forgetFold() {
        // A transaction that could not be rolled back would make the next one fail, and that is told.
        _ = self.rollback()
        try? self.execute("PRAGMA cache_spill = ON")
    }
}

/// A walk over every table; the rows must be folded.
struct LoadWalk {
    let connection: Connection
    /// For sentences.
    let path: String
    /// Attributes lie by device and key alone; a key belongs to one project.
    private var projectsOfKeys: [AttributeKeyID: ProjectID] = [:]

    init(_ connection: Connection, path: String) {
        self.connection = connection
        self.path = path
    }

    mutating func run(into loader: inout some StoreLoader) throws(StoreError) {
        try self.rows(of: .selectProjects) { row throws(SQLiteFailure) in
            ProjectRecord(
                id: ProjectID(rawValue: row.int64(0)), slug: try row.string(1), name: try row.string(2),
                createdDate: try row.timestamp(3))
        } each: { record throws(StoreError) in
            try loader.project(record)
        }
        try self.rows(of: .selectCohorts) { row throws(SQLiteFailure) in
            CohortRecord(
                id: CohortID(rawValue: row.int64(0)), project: ProjectID(rawValue: row.int64(1)),
                slug: try row.string(2), name: try row.string(3))
        } each: { record throws(StoreError) in
            try loader.cohort(record)
        }
        try self.rows(of: .selectReleases) { row throws(SQLiteFailure) in
            ReleaseRecord(
                id: ReleaseID(rawValue: row.int64(0)), project: ProjectID(rawValue: row.int64(1)),
                version: try row.string(2), revision: try row.string(3))
        } each: { record throws(StoreError) in
            try loader.release(record)
        }
        var projectsOfKeys: [AttributeKeyID: ProjectID] = [:]
        try self.rows(of: .selectAttributeKeys, read: Self.attributeKey) { record throws(StoreError) in
            projectsOfKeys[record.id] = record.project
            try loader.attributeKey(record)
        }
        self.projectsOfKeys = projectsOfKeys
        try self.devices(into: &loader)
        try self.attributes(into: &loader)
        try self.rows(of: .selectRequests, read: Self.request) { request throws(StoreError) in
            try loader.request(request)
        }
    }

    private func rows<Record>(
        of query: Query,
        read: (Statement) throws(SQLiteFailure) -> Record,
        each: (Record) throws(StoreError) -> Void
    ) throws(StoreError) {
        let select = try self.reading { () throws(SQLiteFailure) in try self.connection.statement(query) }
        defer { select.reset() }
        while let record = try self.reading({ () throws(SQLiteFailure) in try select.next() ? read(select) : nil }) {
            do {
                try each(record)
            } catch {
                throw .contradiction(self.path, error)
            }
        }
    }

    private func reading<Value>(_ body: () throws(SQLiteFailure) -> Value) throws(StoreError) -> Value {
        do {
            return try body()
        } catch {
            throw .reading(self.path, error)
        }
    }

    private static func attributeKey(_ row: Statement) throws(SQLiteFailure) -> AttributeKeyRecord {
        AttributeKeyRecord(
            id: AttributeKeyID(rawValue: row.int64(0)),
            project: ProjectID(rawValue: row.int64(1)),
            metric: CustomMetric(
                id: try row.uuid(2), stringKey: try row.string(3), dataType: try self.dataType(row.int64(4)))
        )
    }

    private static func dataType(_ number: Int64) throws(SQLiteFailure) -> DataType {
        guard let number = UInt8(exactly: number), let type = DataType(rawValue: number) else {
            throw .malformed("a stored value has the unknown type \(number)")
        }
        return type
    }

    private static func request(_ row: Statement) throws(SQLiteFailure) -> RememberedRequest {
        RememberedRequest(
            key: .init(
                userID: UInt32(truncatingIfNeeded: row.int64(0)), project: try row.string(1), method: try row.string(2),
                requestID: try row.uuid(3)),
            bodyDigest: UInt64(bitPattern: row.int64(4)),
            time: try row.timestamp(5),
            subject: row.int64(6)
        )
    }

    // MARK: The large tables: no String, no closure a row

    private func devices(into loader: inout some StoreLoader) throws(StoreError) {
        do {
            let row = try self.connection.statement(.selectDevices)
            defer { row.reset() }
            while try row.next() {
                let device = StoredDevice(
                    id: DeviceID(rawValue: row.int64(0)),
                    project: ProjectID(rawValue: row.int64(1)),
                    createdDate: try row.timestamp(3),
                    updatedDate: try row.timestamp(4),
                    etagRevision: Revision(rawValue: row.int64(5)),
                    cohort: CohortID(rawValue: row.int64(2)),
                    sighting: Sighting(
                        lastSeen: row.isNull(6) ? nil : try row.timestamp(6),
                        release: row.optionalInt64(7).map(ReleaseID.init(rawValue:))),
                    serial: try row.text(8),
                    ownerRef: try row.text(9),
                    hardwareVersion: try row.text(10)
                )
                try loader.device(device)
            }
        } catch let error as StoreError {
            throw .contradiction(self.path, error)
        } catch {
            throw .reading(self.path, SQLiteFailure(error))
        }
    }

    private func attributes(into loader: inout some StoreLoader) throws(StoreError) {
        do {
            let row = try self.connection.statement(.selectAttributes)
            defer { row.reset() }
            while try row.next() {
                let key = AttributeKeyID(rawValue: row.int64(1))
                guard let project = self.projectsOfKeys[key] else {
                    throw SQLiteFailure.malformed("the attribute key \(key.rawValue) is missing")
                }
                let state = AttributeState(
                    value: try Self.value(of: row),
                    time: try row.timestamp(4),
                    createdDate: try row.timestamp(5),
                    updatedDate: try row.timestamp(6)
                )
                try loader.attribute(key, of: DeviceID(rawValue: row.int64(0)), in: project, state: state)
            }
        } catch let error as StoreError {
            throw .contradiction(self.path, error)
        } catch {
            throw .reading(self.path, SQLiteFailure(error))
        }
    }

    private static func value(of row: Statement) throws(SQLiteFailure) -> AttributeValue {
        switch try self.dataType(row.int64(2)) {
        case .int: .int(row.int64(3))
        case .float: .float(row.double(3))
        case .bool: .bool(row.int64(3) != 0)
        case .string: .string(try row.string(3))
        }
    }
}
