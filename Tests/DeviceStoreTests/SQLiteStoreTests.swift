import DeviceModel
import Foundation
import RollcallTesting
import Testing

@testable import DeviceStore

@Suite struct SQLiteStoreTests {
    @Test func aNewStoreHoldsTheDefaultProjectAndCohort() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path + "/a/b/")
        defer { store.close() }
        let contents = try store.contents()
        let head = try store.head()
        #expect(contents.projects.values.map(\.slug) == ["default"])
        #expect(contents.cohorts.values.map(\.name) == ["Default"])
        #expect(contents.devices.isEmpty && contents.requests.isEmpty)
        #expect(head.sequence == 0)
        #expect(head.highWaterMarks.project.rawValue == 1 && head.highWaterMarks.cohort.rawValue == 1)
        let permissions = try ["/a", "/a/b", "/a/b/rollcall.sqlite"].map {
            try FileManager.default.attributesOfItem(atPath: folder.path + $0)[.posixPermissions] as? Int
        }
        #expect(permissions == [0o700, 0o700, 0o600])
    }

    @Test(arguments: Array(1...6) as [UInt64]) func whatIsCommittedIsLoadedAfterClose(seed: UInt64) throws {
        let folder = TemporaryFolder()
        var store = try SQLiteStore(folder: folder.path)
        let storeID = try store.head().storeID
        var history = try store.history(seed: seed)
        for round in 0..<4 {
            for _ in 0..<60 { try store.commit(history.batch()) }
            #expect(try store.contents() == history.contents, "seed \(seed), round \(round)")
            store.close()
            store = try SQLiteStore(folder: folder.path)
            let head = try store.head()
            #expect(
                head
                    == StoreHead(
                        storeID: storeID, sequence: history.sequence, time: history.time, highWaterMarks: history.marks)
            )
            #expect(try store.contents() == history.contents, "seed \(seed), round \(round), reopened")
        }
        store.close()
    }

    @Test(arguments: [11, 12] as [UInt64]) func whatIsCommittedSurvivesALossOfPowerAtAnyBatch(seed: UInt64) throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.sliceRowCountMax = 8
        let store = try SQLiteStore(folder: folder.path, options: options)
        var history = try store.history(seed: seed)
        for round in 0..<20 {
            try store.commit(history.batch(changeCountMax: 40))
            // Between commit and fold, after the fold, and with parts of both.
            if round % 3 == 1 { try store.settle() }
            let copy = try folder.copy()
            let recovered = try SQLiteStore(folder: copy.path)
            #expect(try recovered.head().sequence == history.sequence, "seed \(seed), round \(round)")
            #expect(try recovered.contents() == history.contents, "seed \(seed), round \(round)")
            recovered.close()
        }
        store.close()
    }

    @Test func aBatchOutOfSequenceIsAConflictAndChangesNothing() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        var history = try store.history(seed: 21)
        let first = history.batch()
        try store.commit(first)
        #expect(code { () throws(StoreError) in try store.commit(first) } == .conflict)
        let second = history.batch()
        let third = history.batch()
        #expect(code { () throws(StoreError) in try store.commit(third) } == .conflict)
        try store.commit(second)
        try store.commit(third)
        #expect(try store.contents() == history.contents)
    }

    @Test func aBatchThatBreaksAConstraintLeavesNothingBehind() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        var history = try store.history(seed: 22)
        try store.commit(history.batch())
        let head = try store.head()
        let before = try store.contents()
        var bad = history
        var batch = bad.batch(changeCountMax: 30)
        batch.changes.append(
            .cohortCreated(
                CohortRecord(
                    id: CohortID(rawValue: 1), project: ProjectID(rawValue: 1), slug: "again", name: "Again")))
        #expect(code { () throws(StoreError) in try store.commit(batch) } == .unavailable)
        #expect(try store.head() == head)
        #expect(try store.contents() == before)
        try store.commit(history.batch())
        #expect(try store.contents() == history.contents)
    }

    @Test func aClosedStoreRefusesEverything() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path)
        var history = try store.history(seed: 23)
        store.close()
        store.close()
        let batch = history.batch()
        #expect(code { () throws(StoreError) in try store.commit(batch) } == .failed)
        #expect(code { () throws(StoreError) in _ = try store.reopen() } == .failed)
    }

    @Test func closingLeavesOneFileAndTheLock() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path)
        var history = try store.history(seed: 24)
        for _ in 0..<20 { try store.commit(history.batch()) }
        store.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["rollcall.lock", "rollcall.sqlite"])
    }
}
