// A batch as rows: the catalogue in place, device changes appended to the log, the head moved last.

internal import DeviceModel

extension Connection {
    /// Writes `batch` inside the open transaction.
    ///
    /// - Returns: false where the last batch is not the one before it; the transaction is then to be rolled back.
    func write(_ batch: borrowing MutationBatch) throws(SQLiteFailure) -> Bool {
        // First, because it is what tells that another writer was here.
        guard try self.moveHead(to: batch) else { return false }
        let insertRecord = try self.statement(.insertRecord)
        var writer = RecordWriter()
        for change in batch.changes {
            switch change {
            case .device(let change):
                writer.reset()
                writer.change(change)
                insertRecord.bind(change.revision.rawValue, at: 1)
                insertRecord.bind(change.device.rawValue, at: 2)
                try insertRecord.run(binding: writer.bytes, at: 3)
            default:
                try self.writeCatalogue(change, at: batch.highWaterMarks.revision)
            }
        }
        for request in batch.requests {
            try self.write(request)
        }
        return true
    }

    private func moveHead(to batch: borrowing MutationBatch) throws(SQLiteFailure) -> Bool {
        let update = try self.statement(.updateHead)
        let marks = batch.highWaterMarks
        update.bind(batch.sequence, at: 1)
        update.bind(batch.time.microseconds, at: 2)
        update.bind(marks.revision.rawValue, at: 3)
        update.bind(marks.device.rawValue, at: 4)
        update.bind(marks.project.rawValue, at: 5)
        update.bind(marks.cohort.rawValue, at: 6)
        update.bind(marks.release.rawValue, at: 7)
        update.bind(marks.attributeKey.rawValue, at: 8)
        try update.run()
        return update.changeCount == 1
    }

    /// - Parameter revision: The last of the batch; no later state of a device refers to what the change deletes.
    private func writeCatalogue(_ change: Change, at revision: Revision) throws(SQLiteFailure) {
        switch change {
        case .device:
            break
        case .projectCreated(let record):
            let insert = try self.statement(.insertProject)
            insert.bind(record.id.rawValue, at: 1)
            insert.bind(record.slug, at: 2)
            insert.bind(record.name, at: 3)
            insert.bind(record.createdDate.microseconds, at: 4)
            try insert.run()
        case .projectDeleted(let id):
            try self.retire(.retireReleasesOfProject, id.rawValue, revision)
            try self.retire(.retireCohortsOfProject, id.rawValue, revision)
            try self.retire(.retireProject, id.rawValue, revision)
            try self.run(.deleteAttributeKeysOfProject, id.rawValue)
            try self.run(.deleteReleasesOfProject, id.rawValue)
            try self.run(.deleteCohortsOfProject, id.rawValue)
            try self.run(.deleteProject, id.rawValue)
        case .cohortCreated(let record):
            let insert = try self.statement(.insertCohort)
            insert.bind(record.id.rawValue, at: 1)
            insert.bind(record.project.rawValue, at: 2)
            insert.bind(record.slug, at: 3)
            insert.bind(record.name, at: 4)
            try insert.run()
        case .cohortRenamed(let id, project: _, let name):
            let rename = try self.statement(.renameCohort)
            rename.bind(id.rawValue, at: 1)
            rename.bind(name, at: 2)
            try rename.run()
        case .cohortDeleted(let id, project: _):
            try self.retire(.retireCohort, id.rawValue, revision)
            try self.run(.deleteCohort, id.rawValue)
        case .releaseCreated(let record):
            let insert = try self.statement(.insertRelease)
            insert.bind(record.id.rawValue, at: 1)
            insert.bind(record.project.rawValue, at: 2)
            insert.bind(record.version, at: 3)
            insert.bind(record.revision, at: 4)
            try insert.run()
        case .releaseDeleted(let id, project: _):
            try self.retire(.retireRelease, id.rawValue, revision)
            try self.run(.deleteRelease, id.rawValue)
        case .attributeKeyCreated(let record):
            let insert = try self.statement(.insertAttributeKey)
            insert.bind(record.id.rawValue, at: 1)
            insert.bind(record.project.rawValue, at: 2)
            insert.bind(record.metric.id, at: 3)
            insert.bind(record.metric.stringKey, at: 4)
            insert.bind(Int64(record.metric.dataType.rawValue), at: 5)
            try insert.run()
        }
    }

    private func write(_ request: RememberedRequest) throws(SQLiteFailure) {
        let insert = try self.statement(.insertRequest)
        insert.bind(Int64(request.key.userID), at: 1)
        insert.bind(request.key.project, at: 2)
        insert.bind(request.key.method, at: 3)
        insert.bind(request.key.requestID, at: 4)
        insert.bind(Int64(bitPattern: request.bodyDigest), at: 5)
        insert.bind(request.time.microseconds, at: 6)
        insert.bind(request.subject, at: 7)
        try insert.run()
    }

    /// Keeps what is about to be deleted for those who read the log.
    private func retire(_ query: Query, _ id: Int64, _ revision: Revision) throws(SQLiteFailure) {
        let retire = try self.statement(query)
        retire.bind(id, at: 1)
        retire.bind(revision.rawValue, at: 2)
        try retire.run()
    }

    /// Runs a statement whose one parameter is a number.
    func run(_ query: Query, _ parameter: Int64) throws(SQLiteFailure) {
        let statement = try self.statement(query)
        statement.bind(parameter, at: 1)
        try statement.run()
    }
}
