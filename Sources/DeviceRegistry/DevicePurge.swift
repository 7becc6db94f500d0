// Deleting what matches a filter, however much that is.

package import DeviceModel
internal import DeviceQuery

/// What a purge asks for.
package struct DevicePurge: Hashable, Sendable {
    package var filter: DeviceFilter
    /// Refused where another number of devices matches; nil asks for no check.
    package var expectedCount: Int64?

    package init(filter: DeviceFilter, expectedCount: Int64? = nil) {
        self.filter = filter
        self.expectedCount = expectedCount
    }
}

extension DevicePurge {
    /// What a repeat of the purge is known by.
    package var digest: UInt64 {
        Mutation.purgeDevices(self, PurgeStep(ids: [], deletedCount: 0)).digest
    }
}

/// A part of a purge that is carried out at once.
package struct PurgeStep: Hashable, Sendable {
    /// What to delete, as far as it is still there.
    var ids: [DeviceID]
    /// How many devices the steps before have deleted.
    var deletedCount: Int64
}

/// Why a purge has ended early.
package struct PurgeError: Error {
    package var cause: any Error
    /// How many devices it has deleted, and how many there were to delete; nil where it had not come to that.
    package var progress: (deletedCount: Int64, matchedCount: Int64)?
}

extension PendingGroup {
    /// Deletes the devices of a step that are still there.
    ///
    /// - Returns: how many devices the purge has deleted with them.
    mutating func carryOut(_ step: PurgeStep, in project: ProjectID, _ index: borrowing RegistryIndex) -> Int64 {
        var count = step.deletedCount
        for id in step.ids {
            guard let device = self.findDevice(id, in: project, index) else { continue }
            self.delete(device, in: project, index)
            count += 1
        }
        return count
    }
}
