// Many devices in one mutation, each of which succeeds or fails alone.

package import DeviceModel

/// Some items of an import.
package struct DeviceImport: Sendable {
    /// A device whose fields are already checked one by one: no attribute key comes twice, and each has a value.
    package struct Item: Hashable, Sendable {
        /// Where the item stands in the whole import, from 1.
        package var position: Int64
        package var device: ImportItem

        package init(position: Int64, device: ImportItem) {
            self.position = position
            self.device = device
        }
    }

    package var mode: ImportMode
    package var items: [Item]

    package init(mode: ImportMode, items: [Item]) {
        self.mode = mode
        self.items = items
    }

    /// How many rows of the store it may change.
    var rowCount: Int {
        self.items.reduce(0) { $0 + 1 + $1.device.attributes.count }
    }
}

/// What became of the items of a ``DeviceImport``.
package struct ImportOutcome: Hashable, Sendable {
    package struct Failure: Hashable, Sendable {
        /// The item's own.
        package var position: Int64
        package var error: RegistryError

        package init(position: Int64, error: RegistryError) {
            self.position = position
            self.error = error
        }
    }

    package var createdCount = 0
    /// Items whose device existed, whether or not they changed it.
    package var updatedCount = 0
    /// By position.
    package var failures: [Failure] = []

    package init() {}
}
