// What goes into an import, and what comes out of an export, as wholes.

import DeviceModel
import RollcallClient

/// Items that are at hand, as a sequence.
struct ItemSequence: AsyncSequence, Sendable {
    private let items: [ImportItem]

    init(_ items: [ImportItem]) {
        self.items = items
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var items: IndexingIterator<[ImportItem]>

        mutating func next() async -> ImportItem? { self.items.next() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(items: self.items.makeIterator()) }
}

extension RollcallClient {
    /// Every device of an export.
    func exportedDevices(
        _ filter: DeviceFilter = DeviceFilter(), view: DeviceView = .full
    ) async throws -> [Device] {
        var devices: [Device] = []
        for try await device in self.exportDevices(filter, view: view) { devices.append(device) }
        return devices
    }
}
