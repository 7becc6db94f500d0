import DeviceModel
import RollcallTesting
import Testing

@testable import DeviceStore

@Suite struct FeedTests {
    @Test func theFeedHoldsEveryChangeAlsoAfterAFoldAndARestart() throws {
        let folder = TemporaryFolder()
        var store = try SQLiteStore(folder: folder.path, options: .quiet)
        var history = try store.history(seed: 81)
        var expected: [DeviceChange] = []
        for step in 0..<60 {
            let batch = history.batch()
            for case .device(let change) in batch.changes { expected.append(change) }
            try store.commit(batch)
            if step == 20 { try store.settle() }
            if step == 40 {
                store.close()
                store = try SQLiteStore(folder: folder.path, options: .quiet)
            }
        }
        defer { store.close() }
        let last = try store.head().highWaterMarks.revision
        #expect(try store.feedStart() == .zero)
        #expect(try store.changes(after: .zero, through: last, of: nil) == expected)
        let (from, through) = (Revision(rawValue: last.rawValue / 3), Revision(rawValue: last.rawValue / 2))
        let part = expected.filter { $0.revision > from && $0.revision <= through }
        #expect(try store.changes(after: from, through: through, of: nil) == part)
        let devices = Set(expected.map(\.device).prefix(5))
        #expect(
            try store.changes(after: .zero, through: last, of: devices)
                == expected.filter { devices.contains($0.device) })
    }

    @Test func whatWasForgottenIsTold() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.logByteCountMax = 1
        let store = try SQLiteStore(folder: folder.path, options: options)
        defer { store.close() }
        var history = try store.history(seed: 82)
        for _ in 0..<40 { try store.commit(history.batch()) }
        try store.settle()
        let last = try store.head().highWaterMarks.revision
        let start = try store.feedStart()
        #expect(start > .zero && start <= last)
        let rest = try store.changes(after: .zero, through: last, of: nil)
        #expect(Int64(rest.count) == last.rawValue - start.rawValue)
    }

    @Test func deletedNamesAreKnownForAsLongAsTheFeedMayRefer() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        let store = try SQLiteStore(folder: folder.path, options: options)
        let release = ReleaseRecord(
            id: ReleaseID(rawValue: 1), project: ProjectID(rawValue: 1), version: "1.2", revision: "r")
        let cohort = CohortRecord(
            id: CohortID(rawValue: 2), project: ProjectID(rawValue: 1), slug: "beta", name: "Beta")
        let project = ProjectRecord(
            id: ProjectID(rawValue: 2), slug: "other", name: "Other", createdDate: .epoch)
        let other = CohortRecord(id: CohortID(rawValue: 3), project: project.id, slug: "default", name: "Default")
        var head = try store.head()
        func commit(_ store: SQLiteStore, _ changes: [Change]) throws {
            head.sequence += 1
            head.highWaterMarks.revision = head.highWaterMarks.revision.next
            head.highWaterMarks.release = release.id
            head.highWaterMarks.cohort = other.id
            head.highWaterMarks.project = project.id
            let isFirst = head.sequence == 1
            let fields = DeviceFields(
                ownerRef: "a", hardwareVersion: "h", cohort: CohortID(rawValue: 1), updatedDate: .epoch,
                etagRevision: Revision(rawValue: 1))
            let device = DeviceChange(
                revision: head.highWaterMarks.revision, kind: isFirst ? .created : .changed,
                project: ProjectID(rawValue: 1), device: DeviceID(rawValue: 1), serial: "A", createdDate: .epoch,
                fields: isFirst ? Transition(before: nil, after: fields) : nil,
                sighting: Transition(before: isFirst ? nil : Sighting(), after: Sighting()))
            try store.commit(
                MutationBatch(
                    sequence: head.sequence, time: .epoch, changes: changes + [.device(device)], requests: [],
                    highWaterMarks: head.highWaterMarks))
        }
        try commit(
            store, [.releaseCreated(release), .cohortCreated(cohort), .projectCreated(project), .cohortCreated(other)])
        try commit(
            store,
            [
                .releaseDeleted(release.id, project: release.project),
                .cohortDeleted(cohort.id, project: cohort.project), .projectDeleted(project.id),
            ])
        let names = try store.retiredNames(releases: [release.id], cohorts: [cohort.id, other.id])
        #expect(names.releases == [release.id: release])
        #expect(names.cohorts == [cohort.id: cohort, other.id: other])
        #expect(try store.retirement(ofProject: "other") == Revision(rawValue: 2))
        #expect(try store.retirement(ofProject: "default") == nil)
        store.close()

        options.logByteCountMax = 1
        let later = try SQLiteStore(folder: folder.path, options: options)
        defer { later.close() }
        #expect(try later.retiredNames(releases: [release.id], cohorts: []).releases == [release.id: release])
        try later.settle()
        #expect(try later.feedStart() == Revision(rawValue: 2))
        #expect(try later.retiredNames(releases: [release.id], cohorts: [cohort.id]) == RetiredNames())
        #expect(try later.retirement(ofProject: "other") == nil)
    }
}
