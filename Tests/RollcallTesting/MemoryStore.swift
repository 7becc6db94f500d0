// A store that forgets everything with the process.

package import DeviceModel
package import DeviceStore
internal import FoundationEssentials
internal import Synchronization

/// A store in memory, which begins as a new database does: with the project and the cohort `default`.
package final class MemoryStore: DeviceStore {
    private struct State {
        var head: StoreHead
        var contents: StoreContents
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
            State(head: StoreHead(storeID: UUID(), sequence: 0, highWaterMarks: marks), contents: contents))
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

    package func commit(_ batch: MutationBatch) throws(StoreError) {
        let isNext = self.state.withLock { state in
            guard batch.sequence == state.head.sequence + 1 else { return false }
            state.contents.apply(batch)
            state.head.sequence = batch.sequence
            state.head.highWaterMarks = batch.highWaterMarks
            return true
        }
        guard isNext else { throw StoreError(.conflict, "the store in memory has had another writer") }
    }

    package func reopen() throws(StoreError) -> StoreHead {
        try self.head()
    }

    package func close() {}
}
