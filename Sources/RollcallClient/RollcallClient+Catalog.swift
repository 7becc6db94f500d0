// Calls of the service `rollcall.v1.Projects` on what the devices of a project have in common.

public import DeviceModel
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension RollcallClient {
    /// Returns one page of the project's releases, by id, each with its count of devices.
    ///
    /// - Parameters:
    ///   - pageSize: 1 to 1,000.
    ///   - includesTotal: Counts all of them too.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a token that is not of this list.
    public func listReleases(
        pageSize: Int = 100, position: PagePosition = .first, includesTotal: Bool = false
    ) async throws(RollcallError) -> Page<Release> {
        try await self.call(
            .projects("ListReleases"),
            {
                $0.pageRequest(
                    Messages.listReleasesRequest, project: self.project, pageSize: pageSize, position: position,
                    includesTotal: includesTotal
                )
            },
            reply: Messages.listReleasesResponse,
            { Page<Release>(from: $0) }
        )
    }

    /// Returns one page of the project's hardware versions, by their bytes, each with its count of devices.
    ///
    /// - Parameters:
    ///   - pageSize: 1 to 1,000.
    ///   - includesTotal: Counts all of them too.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a token that is not of this list.
    public func listHardwareVersions(
        pageSize: Int = 100, position: PagePosition = .first, includesTotal: Bool = false
    ) async throws(RollcallError) -> Page<HardwareVersion> {
        try await self.call(
            .projects("ListHardwareVersions"),
            {
                $0.pageRequest(
                    Messages.listHardwareVersionsRequest, project: self.project, pageSize: pageSize, position: position,
                    includesTotal: includesTotal
                )
            },
            reply: Messages.listHardwareVersionsResponse,
            { Page<HardwareVersion>(from: $0) }
        )
    }

    /// Returns one page of the project's attribute keys, by key whatever its case, each with its count of devices.
    ///
    /// - Parameters:
    ///   - pageSize: 1 to 1,000.
    ///   - includesTotal: Counts all of them too.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a token that is not of this list.
    public func listAttributeKeys(
        pageSize: Int = 100, position: PagePosition = .first, includesTotal: Bool = false
    ) async throws(RollcallError) -> Page<AttributeKey> {
        try await self.call(
            .projects("ListAttributeKeys"),
            {
                $0.pageRequest(
                    Messages.listAttributeKeysRequest, project: self.project, pageSize: pageSize, position: position,
                    includesTotal: includesTotal
                )
            },
            reply: Messages.listAttributeKeysResponse,
            Page<AttributeKey>.init(from:)
        )
    }
}
