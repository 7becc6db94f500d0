// Whether the store takes changes, for whoever looks after the server.

internal import DeviceModel
internal import Synchronization

/// The state of the store that the writer sets and any thread reads.
final class PublishedStoreState: Sendable {
    private let value: Mutex<ServerInfo.StoreState>

    init(_ state: ServerInfo.StoreState) {
        self.value = Mutex(state)
    }

    func load() -> ServerInfo.StoreState {
        self.value.withLock { $0 }
    }

    func store(_ state: ServerInfo.StoreState) {
        self.value.withLock { $0 = state }
    }
}
