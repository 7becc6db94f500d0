// What a request says of where it goes, which decides whether its caller may make it.

internal import Access
internal import CRollcallProto
internal import ProtobufC

// swift-format-ignore: AlwaysUseLowerCamelCase
/// A request that is about one project.
protocol ScopedRequest: SendableMetatype {
    /// Slug of the project; empty = the default one.
    var projectSlug: ProtobufCBinaryData { get }
    /// The caller's name for the request; empty where it has none.
    var request_id: ProtobufCBinaryData { get }
    /// What it takes beside the method's role.
    var furtherRole: Role? { get }
}

/// A request whose field `project` names the project.
protocol ProjectRequest: ScopedRequest {
    var project: ProtobufCBinaryData { get }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
extension ScopedRequest {
    var request_id: ProtobufCBinaryData { ProtobufCBinaryData() }
    var furtherRole: Role? { nil }
}

extension ProjectRequest {
    var projectSlug: ProtobufCBinaryData { self.project }
}

extension Rollcall__V1__CheckInRequest: ProjectRequest {
    var furtherRole: Role? { self.create_missing != 0 ? .mayRegister : nil }
}

extension Rollcall__V1__CreateProjectRequest: ScopedRequest {
    var projectSlug: ProtobufCBinaryData { self.project?.pointee.slug ?? ProtobufCBinaryData() }
}

extension Rollcall__V1__CreateDeviceRequest: ProjectRequest {}
extension Rollcall__V1__GetDeviceRequest: ProjectRequest {}
extension Rollcall__V1__ListDevicesRequest: ProjectRequest {}
extension Rollcall__V1__UpdateDeviceRequest: ProjectRequest {}
extension Rollcall__V1__DeleteDeviceRequest: ProjectRequest {}
extension Rollcall__V1__GetDeviceAttributesRequest: ProjectRequest {}
extension Rollcall__V1__UpdateDeviceAttributesRequest: ProjectRequest {}
extension Rollcall__V1__CountDevicesRequest: ProjectRequest {}
extension Rollcall__V1__BatchGetDevicesRequest: ProjectRequest {}
extension Rollcall__V1__BatchCreateDevicesRequest: ProjectRequest {}
extension Rollcall__V1__BatchUpdateDevicesRequest: ProjectRequest {}
extension Rollcall__V1__BatchDeleteDevicesRequest: ProjectRequest {}
extension Rollcall__V1__PurgeDevicesRequest: ProjectRequest {}
extension Rollcall__V1__ImportDevicesRequest: ProjectRequest {}
extension Rollcall__V1__ExportDevicesRequest: ProjectRequest {}
extension Rollcall__V1__WatchDevicesRequest: ProjectRequest {}
extension Rollcall__V1__GetProjectRequest: ProjectRequest {}
extension Rollcall__V1__DeleteProjectRequest: ProjectRequest {}
extension Rollcall__V1__CreateCohortRequest: ProjectRequest {}
extension Rollcall__V1__GetCohortRequest: ProjectRequest {}
extension Rollcall__V1__ListCohortsRequest: ProjectRequest {}
extension Rollcall__V1__UpdateCohortRequest: ProjectRequest {}
extension Rollcall__V1__DeleteCohortRequest: ProjectRequest {}
extension Rollcall__V1__ListReleasesRequest: ProjectRequest {}
extension Rollcall__V1__ListHardwareVersionsRequest: ProjectRequest {}
extension Rollcall__V1__ListAttributeKeysRequest: ProjectRequest {}
