// Calls of the service `rollcall.v1.Devices` on attributes.

public import DeviceModel
internal import DeviceWire
public import FoundationEssentials
internal import ProtobufC
internal import RPC

extension RollcallClient {
    /// Returns the latest attribute values of a device, by key, with the device's etag.
    ///
    /// - Parameter keyPattern: Only keys that match, whatever their case, with `*` for any characters; nil for all.
    /// - Throws: ``RollcallError`` NOT_FOUND if there is no device of that serial.
    public func deviceAttributes(
        _ serial: String, matching keyPattern: String? = nil
    ) async throws(RollcallError) -> DeviceAttributes {
        try await self.call(
            .devices("GetDeviceAttributes"),
            {
                $0.getDeviceAttributesRequest(project: self.project, serial: serial, keyPattern: keyPattern ?? "")
            },
            reply: Messages.getDeviceAttributesResponse,
            DeviceAttributes.init(from:)
        )
    }

    /// Writes attributes of a device, all or none of them.
    ///
    /// - Parameters:
    ///   - updates: Values to set, or to unset; each key once. The first value of a key fixes its type in the project.
    ///   - replacesOthers: Unsets the attributes that `updates` does not name.
    ///   - etag: The device's, if the call is to fail where it has changed since.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Returns: All attributes of the device afterwards.
    /// - Throws: ``RollcallError`` NOT_FOUND, ABORTED for a stale etag, or INVALID_ARGUMENT for a value of another type
    ///   than the key's and for every bad field.
    public func updateDeviceAttributes(
        _ serial: String,
        _ updates: [AttributeUpdate],
        replacesOthers: Bool = false,
        etag: String? = nil,
        requestID: UUID? = nil
    ) async throws(RollcallError) -> DeviceAttributes {
        try await self.call(
            .devices("UpdateDeviceAttributes"),
            {
                $0.updateDeviceAttributesRequest(
                    project: self.project,
                    serial: serial,
                    attributes: updates,
                    replaces: replacesOthers,
                    etag: etag,
                    requestID: requestID
                )
            },
            reply: Messages.updateDeviceAttributesResponse,
            DeviceAttributes.init(from:)
        )
    }
}
