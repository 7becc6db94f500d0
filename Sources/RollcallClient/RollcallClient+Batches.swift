// Calls of the service `rollcall.v1.Devices` on up to 1,000 devices at once.

public import DeviceModel
internal import CRollcallProto
internal import DeviceWire
public import FoundationEssentials
internal import ProtobufC
internal import RPC

extension RollcallClient {
    /// A device to create, as ``createDevice(_:ownerRef:hardwareVersion:cohort:validateOnly:requestID:)`` takes it.
    public struct DeviceCreation: Hashable, Sendable {
        public var serial: String
        public var ownerRef: String
        public var hardwareVersion: String
        /// Slug of a cohort that exists; nil for `default`.
        public var cohort: String?

        public init(_ serial: String, ownerRef: String, hardwareVersion: String, cohort: String? = nil) {
            self.serial = serial
            self.ownerRef = ownerRef
            self.hardwareVersion = hardwareVersion
            self.cohort = cohort
        }
    }

    /// A change to a device, as ``updateDevice(_:ownerRef:hardwareVersion:cohort:mask:etag:allowMissing:validateOnly:requestID:)``
    /// takes it.
    public struct DeviceUpdate: Hashable, Sendable {
        public var serial: String
        /// New owner; nil leaves it.
        public var ownerRef: String?
        /// New hardware version; nil leaves it.
        public var hardwareVersion: String?
        /// Slug of the new cohort; nil leaves it.
        public var cohort: String?
        /// Paths of the fields to change; nil for those given, `["*"]` for all three.
        public var mask: [String]?
        /// The device's, if the batch is to fail where it has changed since.
        public var etag: String?
        /// Creates the device where there is none.
        public var allowMissing: Bool

        public init(
            _ serial: String, ownerRef: String? = nil, hardwareVersion: String? = nil, cohort: String? = nil,
            mask: [String]? = nil, etag: String? = nil, allowMissing: Bool = false
        ) {
            self.serial = serial
            self.ownerRef = ownerRef
            self.hardwareVersion = hardwareVersion
            self.cohort = cohort
            self.mask = mask
            self.etag = etag
            self.allowMissing = allowMissing
        }
    }

    /// A device to delete, as ``deleteDevice(_:etag:allowMissing:requestID:)`` takes it.
    public struct DeviceDeletion: Hashable, Sendable {
        public var serial: String
        /// The device's, if the batch is to fail where it has changed since.
        public var etag: String?
        /// A device that does not exist is then no error.
        public var allowMissing: Bool

        public init(_ serial: String, etag: String? = nil, allowMissing: Bool = false) {
            self.serial = serial
            self.etag = etag
            self.allowMissing = allowMissing
        }
    }

    /// Returns devices, in the order of `serials`, all as they were at one moment.
    ///
    /// - Parameters:
    ///   - serials: 1 to 1,000, each once.
    ///   - view: ``DeviceView/full`` for their attributes too.
    /// - Throws: ``RollcallError`` NOT_FOUND naming every serial that no device has; RESOURCE_EXHAUSTED where the
    ///   devices take more than a message may have, and fewer at once will do.
    public func batchGetDevices(
        _ serials: [String], view: DeviceView = .basic
    ) async throws(RollcallError) -> [Device] {
        try await self.call(
            .devices("BatchGetDevices"),
            { $0.batchGetDevicesRequest(project: self.project, serials: serials, view: view) },
            reply: Messages.batchGetDevicesResponse,
            { message throws(WireValueError) in try [Device](from: message) }
        )
    }

    /// Registers devices, all or none.
    ///
    /// - Parameters:
    ///   - devices: 1 to 1,000, no serial twice.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Returns: The devices as stored, or as they would be, in the same order.
    /// - Throws: ``RollcallError`` listing every bad field of every bad item, as in `requests[3].device.owner_ref`:
    ///   ALREADY_EXISTS or NOT_FOUND where that is so of all of them, else INVALID_ARGUMENT.
    public func batchCreateDevices(
        _ devices: [DeviceCreation], validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) -> [Device] {
        try await self.call(
            .devices("BatchCreateDevices"),
            { arena in
                arena.batchRequest(
                    Messages.batchCreateDevicesRequest, project: self.project, devices, validateOnly: validateOnly,
                    requestID: requestID
                ) { device in
                    let fields = DeviceFieldsGiven(
                        serial: device.serial, ownerRef: device.ownerRef, hardwareVersion: device.hardwareVersion,
                        cohort: device.cohort
                    )
                    return arena.createDeviceRequest(project: "", device: fields, validateOnly: false, requestID: nil)
                }
            },
            reply: Messages.batchCreateDevicesResponse,
            { message throws(WireValueError) in try [Device](from: message) }
        )
    }

    /// Changes devices, all or none.
    ///
    /// - Parameters:
    ///   - updates: 1 to 1,000, no serial twice.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Returns: The devices as stored, or as they would be, in the same order.
    /// - Throws: ``RollcallError`` listing every bad field of every bad item: NOT_FOUND or ABORTED where that is so of
    ///   all of them, else INVALID_ARGUMENT.
    public func batchUpdateDevices(
        _ updates: [DeviceUpdate], validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) -> [Device] {
        try await self.call(
            .devices("BatchUpdateDevices"),
            { arena in
                arena.batchRequest(
                    Messages.batchUpdateDevicesRequest, project: self.project, updates, validateOnly: validateOnly,
                    requestID: requestID
                ) { update in
                    let fields = DeviceFieldsGiven(
                        serial: update.serial, ownerRef: update.ownerRef, hardwareVersion: update.hardwareVersion,
                        cohort: update.cohort, etag: update.etag
                    )
                    return arena.updateDeviceRequest(
                        project: "", device: fields, mask: update.mask ?? fields.paths,
                        allowMissing: update.allowMissing, validateOnly: false, requestID: nil
                    )
                }
            },
            reply: Messages.batchUpdateDevicesResponse,
            { message throws(WireValueError) in try [Device](from: message) }
        )
    }

    /// Deletes devices with their attributes, all or none.
    ///
    /// - Parameters:
    ///   - deletions: 1 to 1,000, no serial twice.
    ///   - validateOnly: Checks everything and deletes nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` listing every bad field of every bad item: NOT_FOUND or ABORTED where that is so of
    ///   all of them, else INVALID_ARGUMENT.
    public func batchDeleteDevices(
        _ deletions: [DeviceDeletion], validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) {
        try await self.call(
            .devices("BatchDeleteDevices"),
            { arena in
                arena.batchRequest(
                    Messages.batchDeleteDevicesRequest, project: self.project, deletions, validateOnly: validateOnly,
                    requestID: requestID
                ) {
                    arena.deleteDeviceRequest(
                        project: "", serial: $0.serial, etag: $0.etag, allowMissing: $0.allowMissing, requestID: nil
                    )
                }
            },
            reply: Messages.batchDeleteDevicesResponse,
            { _ in }
        )
    }

    /// Deletes every device that matches, with its attributes: all that match at one moment, and no others.
    ///
    /// They go some at a time, between the calls of others. A failure on the way tells how many were deleted; of very
    /// many that takes longer than a ``timeout`` for other calls.
    /// - Parameters:
    ///   - filter: At least one condition; the expression `id > 0` matches every device.
    ///   - expectedCount: Refused, and nothing deleted, where another number matches; nil asks for no check.
    ///   - validateOnly: Counts, and deletes nothing.
    ///   - requestID: Makes a repeat of a call that succeeded answer its count, for a day.
    /// - Returns: How many devices were deleted, or would be.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for no filter or a bad one; FAILED_PRECONDITION where another
    ///   number matches than expected.
    public func purgeDevices(
        matching filter: DeviceFilter, expectedCount: Int64? = nil, validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) -> Int64 {
        try await self.call(
            .devices("PurgeDevices"),
            {
                $0.purgeDevicesRequest(
                    project: self.project, filter: filter, expectedCount: expectedCount, validateOnly: validateOnly,
                    requestID: requestID
                )
            },
            reply: Messages.purgeDevicesResponse,
            { $0.pointee.count }
        )
    }
}
