// Calls of the service `rollcall.v1.Devices` on devices themselves.

public import DeviceModel
internal import DeviceWire
public import FoundationEssentials
internal import ProtobufC
internal import RPC

extension RollcallClient {
    /// Registers a device.
    ///
    /// - Parameters:
    ///   - serial: 1 to 128 of `[-A-Za-z0-9_.:]`.
    ///   - ownerRef: 1 to 256 characters.
    ///   - hardwareVersion: 1 to 128 of `[-A-Za-z0-9_.+:]`.
    ///   - cohort: Slug of a cohort that exists; nil for `default`.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Returns: The device as stored, or as it would be.
    /// - Throws: ``RollcallError`` ALREADY_EXISTS if the serial is taken, the stored device staying as it was;
    ///   INVALID_ARGUMENT listing every bad field; NOT_FOUND if the project or cohort does not exist.
    public func createDevice(
        _ serial: String,
        ownerRef: String,
        hardwareVersion: String,
        cohort: String? = nil,
        validateOnly: Bool = false,
        requestID: UUID? = nil
    ) async throws(RollcallError) -> Device {
        let device = DeviceFieldsGiven(
            serial: serial, ownerRef: ownerRef, hardwareVersion: hardwareVersion, cohort: cohort
        )
        return try await self.call(
            .devices("CreateDevice"),
            {
                $0.createDeviceRequest(
                    project: self.project, device: device, validateOnly: validateOnly, requestID: requestID
                )
            },
            reply: Messages.device,
            Device.init(from:)
        )
    }

    /// Returns one device.
    ///
    /// - Parameter view: ``DeviceView/full`` for its attributes too.
    /// - Throws: ``RollcallError`` NOT_FOUND if there is none of that serial.
    public func getDevice(_ serial: String, view: DeviceView = .basic) async throws(RollcallError) -> Device {
        try await self.call(
            .devices("GetDevice"),
            { $0.getDeviceRequest(project: self.project, serial: serial, view: view) },
            reply: Messages.device,
            Device.init(from:)
        )
    }

    /// Returns one page of the devices that match.
    ///
    /// A page may hold fewer devices than asked for; only an empty `nextPageToken` means the end.
    /// ``devices(matching:view:)`` walks over all pages. Where the query ``ListQuery/explains``, the page has an
    /// ``Page/explanation``.
    ///
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a bad filter, or a token of another filter, sort or store.
    public func listDevices(
        _ query: ListQuery = ListQuery(), view: DeviceView = .basic
    ) async throws(RollcallError) -> Page<Device> {
        try await self.call(
            .devices("ListDevices"),
            { $0.listDevicesRequest(project: self.project, query: query, view: view) },
            reply: Messages.listDevicesResponse,
            Page<Device>.init(from:)
        )
    }

    /// Every device that matches, from the query's position on, fetched a page at a time as they are asked for.
    public func devices(matching query: ListQuery = ListQuery(), view: DeviceView = .basic) -> DeviceSequence {
        DeviceSequence(client: self, query: query, view: view)
    }

    /// Counts the devices that match, in all and by what they have in common.
    ///
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a bad filter, and for keys that the project does not have.
    public func countDevices(_ query: CountQuery = CountQuery()) async throws(RollcallError) -> DeviceCount {
        try await self.call(
            .devices("CountDevices"),
            { $0.countDevicesRequest(project: self.project, query: query) },
            reply: Messages.countDevicesResponse,
            { message throws(WireValueError) in try DeviceCount(from: message, keyCount: query.groupBy.count) }
        )
    }

    /// Changes a device.
    ///
    /// - Parameters:
    ///   - ownerRef: New owner; nil leaves it.
    ///   - hardwareVersion: New hardware version; nil leaves it.
    ///   - cohort: Slug of the new cohort; nil leaves it.
    ///   - mask: Paths of the fields to change; nil for those given, `["*"]` for all three, so that a cohort not given
    ///     becomes `default`.
    ///   - etag: The device's, if the call is to fail where it has changed since.
    ///   - allowMissing: Creates the device where there is none; owner and hardware version are then required.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Returns: The device as stored, or as it would be.
    /// - Throws: ``RollcallError`` NOT_FOUND, ABORTED for a stale etag, or INVALID_ARGUMENT listing every bad field.
    public func updateDevice(
        _ serial: String,
        ownerRef: String? = nil,
        hardwareVersion: String? = nil,
        cohort: String? = nil,
        mask: [String]? = nil,
        etag: String? = nil,
        allowMissing: Bool = false,
        validateOnly: Bool = false,
        requestID: UUID? = nil
    ) async throws(RollcallError) -> Device {
        let device = DeviceFieldsGiven(
            serial: serial, ownerRef: ownerRef, hardwareVersion: hardwareVersion, cohort: cohort, etag: etag
        )
        return try await self.call(
            .devices("UpdateDevice"),
            {
                $0.updateDeviceRequest(
                    project: self.project,
                    device: device,
                    mask: mask ?? device.paths,
                    allowMissing: allowMissing,
                    validateOnly: validateOnly,
                    requestID: requestID
                )
            },
            reply: Messages.device,
            Device.init(from:)
        )
    }

    /// Deletes a device with its attributes.
    ///
    /// - Parameters:
    ///   - etag: The device's, if the call is to fail where it has changed since.
    ///   - allowMissing: A device that does not exist is then no error.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` NOT_FOUND unless `allowMissing`; ABORTED for a stale etag.
    public func deleteDevice(
        _ serial: String, etag: String? = nil, allowMissing: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) {
        try await self.call(
            .devices("DeleteDevice"),
            {
                $0.deleteDeviceRequest(
                    project: self.project, serial: serial, etag: etag, allowMissing: allowMissing, requestID: requestID
                )
            },
            reply: Messages.deleteDeviceResponse,
            { _ in }
        )
    }

    /// Records that a device was seen. May be repeated without harm where `time` is given.
    ///
    /// - Parameters:
    ///   - time: When it was seen; nil for now. Older than `lastSeen` is accepted and changes nothing of the device.
    ///   - release: What runs on it; nil for not reported.
    ///   - hardwareVersion: Used and required only where the check-in registers the device.
    ///   - attributes: Values to write; one without a time takes the check-in's.
    ///   - createMissing: Registers an unknown device, with an empty owner.
    /// - Returns: The device afterwards.
    /// - Throws: ``RollcallError`` NOT_FOUND unless `createMissing`; INVALID_ARGUMENT for a time before 1970 or too far
    ///   ahead of the server's clock, and for every bad field.
    public func checkIn(
        _ serial: String,
        time: Timestamp? = nil,
        release: (version: String, revision: String)? = nil,
        hardwareVersion: String? = nil,
        attributes: [AttributeUpdate] = [],
        createMissing: Bool = false
    ) async throws(RollcallError) -> Device {
        try await self.call(
            .devices("CheckIn"),
            {
                $0.checkInRequest(
                    project: self.project,
                    serial: serial,
                    time: time,
                    release: release,
                    hardwareVersion: hardwareVersion,
                    attributes: attributes,
                    createMissing: createMissing
                )
            },
            reply: Messages.device,
            Device.init(from:)
        )
    }
}
