// The devices that match, by id: a set that stays what it is while they change.

package import DeviceModel

/// Which devices matched at one revision, in parts that are dealt with one after another.
///
/// It takes eight bytes a device, and nothing grows with the fleet.
package struct DeviceSelection: Sendable {
    private var parts: [[DeviceID]] = []
    /// In `parts`, and yet not of the selection.
    private var withdrawn: Set<DeviceID> = []
    /// How many devices there are.
    package private(set) var count = 0
    private let partCountMax: Int

    /// - Parameter partCountMax: how many devices a part has at most.
    init(partCountMax: Int) {
        self.partCountMax = partCountMax
    }

    /// Adds a device that is not of the selection.
    mutating func insert(_ id: DeviceID) {
        self.count += 1
        if !self.withdrawn.isEmpty, self.withdrawn.remove(id) != nil { return }
        if self.parts.last.map({ $0.count == self.partCountMax }) ?? true {
            self.parts.append([])
        }
        self.parts[self.parts.count - 1].append(id)
    }

    /// Removes a device that is of the selection.
    mutating func remove(_ id: DeviceID) {
        self.count -= 1
        self.withdrawn.insert(id)
    }

    /// Takes the devices of a part out; none where nothing is left.
    package mutating func takePart() -> [DeviceID] {
        while var part = self.parts.popLast() {
            if !self.withdrawn.isEmpty { part.removeAll { self.withdrawn.contains($0) } }
            guard part.isEmpty else {
                self.count -= part.count
                return part
            }
        }
        return []
    }
}

/// Keeps the ids of the rows that it is shown.
struct DeviceCollector: RowVisitor {
    private(set) var selection: DeviceSelection
    private let fleet: UnsafePointer<Fleet>

    init(partCountMax: Int, in fleet: UnsafePointer<Fleet>) {
        self.selection = DeviceSelection(partCountMax: partCountMax)
        self.fleet = fleet
    }

    mutating func visit(_ rows: UnsafeBufferPointer<UInt32>) {
        for row in rows { self.selection.insert(self.id(row)) }
    }

    /// Takes back a row that was shown to it and that is still as it was then.
    mutating func remove(_ row: UInt32) {
        self.selection.remove(self.id(row))
    }

    private func id(_ row: UInt32) -> DeviceID {
        DeviceID(rawValue: self.fleet.pointee.rows.base[Int(row)].id)
    }
}
