// A store that forgets everything with the process.

package import DeviceModel
package import DeviceStore
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// A store in memory, which begins as a new database does: with the project and the cohort `default`.
package final class MemoryStore: DeviceStore {
    private struct State {
        var head: StoreHead
        var contents: StoreContents
        var feed: [DeviceChange] = []
        var feedStart = Revision.zero
        var retired = RetiredNames()
        var retiredProjects: [String: Revision] = [:]

        var snapshotText: String {
            self.contents.devices.sorted { $0.key.rawValue < $1.key.rawValue }.map { $0.value.serial + "\n" }.joined()
        }

        /// Keeps what the batch deletes for those who read the feed.
        mutating func retire(_ batch: MutationBatch) {
            for change in batch.changes {
                switch change {
                case .device(let change): self.feed.append(change)
                case .releaseDeleted(let id, project: _): self.retired.releases[id] = self.contents.releases[id]
                case .cohortDeleted(let id, project: _): self.retired.cohorts[id] = self.contents.cohorts[id]
                case .projectDeleted(let id):
                    for release in self.contents.releases.values where release.project == id {
                        self.retired.releases[release.id] = release
                    }
                    for cohort in self.contents.cohorts.values where cohort.project == id {
                        self.retired.cohorts[cohort.id] = cohort
                    }
                    if let project = self.contents.projects[id] {
                        self.retiredProjects[project.slug] = batch.highWaterMarks.revision
                    }
                case .projectCreated, .cohortCreated, .cohortRenamed, .releaseCreated, .attributeKeyCreated: break
                }
            }
        }
    }

    private let state: Mutex<State>

    package init(createdDate: Timestamp = .epoch) {
        var marks = HighWaterMarks()
        marks.project = ProjectID(rawValue: 1)
        marks.cohort = CohortID(rawValue: 1)
        var contents = StoreContents()
        contents.projects[marks.project] = ProjectRecord(
            id: marks.project, slug: "default", name: "Default", createdDate: createdDate)
        contents.cohorts[marks.cohort] = CohortRecord(
            id: marks.cohort, project: marks.project, slug: "default", name: "Default")
        self.state = Mutex(
            State(
                head: StoreHead(storeID: UUID(), sequence: 0, time: createdDate, highWaterMarks: marks),
                contents: contents))
    }

    /// What the store holds now.
    package var contents: StoreContents {
        self.state.withLock { $0.contents }
    }

    package func head() throws(StoreError) -> StoreHead {
        self.state.withLock { $0.head }
    }

    package func load(into loader: inout some StoreLoader) throws(StoreError) {
        try self.contents.load(into: &loader)
    }

    package var needsVerification: Bool { false }

    package func verify(while isWanted: @escaping @Sendable () -> Bool) throws(StoreError) {}

    package func commit(_ batch: MutationBatch) throws(StoreError) {
        let isNext = self.state.withLock { state in
            guard batch.sequence == state.head.sequence + 1 else { return false }
            state.retire(batch)
            state.contents.apply(batch)
            state.head.sequence = batch.sequence
            state.head.time = batch.time
            state.head.highWaterMarks = batch.highWaterMarks
            return true
        }
        guard isNext else { throw StoreError(.conflict, "the store in memory has had another writer") }
    }

    package func reopen() throws(StoreError) -> StoreHead {
        try self.head()
    }

    package func changes(
        after first: Revision, through last: Revision, of devices: Set<DeviceID>?
    ) throws(StoreError) -> [DeviceChange] {
        self.state.withLock { state in
            let start = min(state.feed.count, max(0, Int(first.rawValue - state.feedStart.rawValue)))
            return state.feed[start...].prefix { $0.revision <= last }.filter { devices?.contains($0.device) ?? true }
        }
    }

    package func feedStart() throws(StoreError) -> Revision {
        self.state.withLock { $0.feedStart }
    }

    /// Lets go of the oldest changes of the feed.
    package func forgetFeed(through revision: Revision) {
        self.state.withLock { state in
            state.feed.removeAll { $0.revision <= revision }
            state.feedStart = revision
        }
    }

    package func retiredNames(
        releases: Set<ReleaseID>, cohorts: Set<CohortID>
    ) throws(StoreError) -> RetiredNames {
        self.state.withLock { state in
            var names = RetiredNames()
            names.releases = state.retired.releases.filter { releases.contains($0.key) }
            names.cohorts = state.retired.cohorts.filter { cohorts.contains($0.key) }
            return names
        }
    }

    package func retirement(ofProject slug: String) throws(StoreError) -> Revision? {
        self.state.withLock { $0.retiredProjects[slug] }
    }

    /// A copy in the form of ``snapshotText``.
    package func snapshot(while isWanted: () -> Bool) throws(StoreError) -> StoreSnapshot? {
        guard isWanted() else { return nil }
        let (text, head) = self.state.withLock { ($0.snapshotText, $0.head) }
        guard let file = tmpfile() else { throw StoreError(.unavailable, "there is no room for a copy") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0, fflush(file) == 0 else { throw StoreError(.failed, "the copy cannot be written") }
        return try StoreSnapshot(descriptor: dup(fileno(file)), head: head)
    }

    /// The serial of each device, by id, on a line of its own.
    package var snapshotText: String {
        self.state.withLock { $0.snapshotText }
    }

    package var stats: ServerStats.Store { ServerStats.Store() }

    package func close() {}
}
