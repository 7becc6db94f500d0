// Whether the store takes changes, for whoever looks after the server.

internal import Synchronization

/// What the registry knows of its store. Reads go on in every one of these.
package enum StoreCondition: Hashable, Sendable {
    case ready
    /// It was not closed properly and is being looked through; changes wait until that is over.
    case checking
    /// The last change was refused for this reason; the next one is tried.
    case failing(String)
    /// No change is taken until the server is started anew, for this reason.
    case closed(String)
}

/// The condition that the writer sets and any thread reads.
final class PublishedCondition: Sendable {
    private let value: Mutex<StoreCondition>

    init(_ condition: StoreCondition) {
        self.value = Mutex(condition)
    }

    func load() -> StoreCondition {
        self.value.withLock { $0 }
    }

    func store(_ condition: StoreCondition) {
        self.value.withLock { $0 = condition }
    }
}
