// Which role each method takes: the one table of it.

package import Access
package import RPC

/// Who may call a method.
package enum MethodAccess: Hashable, Sendable {
    /// Whoever may connect.
    case everyone
    /// Whoever has a role in some project.
    case anyRole
    /// Whoever has one of the roles in the project that the request names.
    case project(Roles)
    /// Whoever has one of the roles in every project.
    case server(Roles)

    /// Of a method; nil where the table has forgotten it, and nobody may.
    package static func of(_ method: MethodName) -> MethodAccess? {
        self.byMethod[method.description]
    }

    /// By full name. A writer is a reader and a reporter too, and an admin everything, so the least role that will do
    /// stands here, or both of two where neither includes the other.
    package static let byMethod: [String: MethodAccess] = [
        "rollcall.v1.Devices/GetDevice": .project([.reader, .reporter]),
        "rollcall.v1.Devices/GetDeviceAttributes": .project([.reader, .reporter]),
        "rollcall.v1.Devices/ListDevices": .project(.reader),
        "rollcall.v1.Devices/CountDevices": .project(.reader),
        "rollcall.v1.Devices/BatchGetDevices": .project(.reader),
        "rollcall.v1.Devices/ExportDevices": .project(.reader),
        "rollcall.v1.Devices/WatchDevices": .project(.reader),
        // With create_missing they take may_register as well.
        "rollcall.v1.Devices/CheckIn": .project(.reporter),
        "rollcall.v1.Devices/CheckInStream": .project(.reporter),
        "rollcall.v1.Devices/UpdateDeviceAttributes": .project(.reporter),
        "rollcall.v1.Devices/CreateDevice": .project(.writer),
        "rollcall.v1.Devices/UpdateDevice": .project(.writer),
        "rollcall.v1.Devices/DeleteDevice": .project(.writer),
        "rollcall.v1.Devices/BatchCreateDevices": .project(.writer),
        "rollcall.v1.Devices/BatchUpdateDevices": .project(.writer),
        "rollcall.v1.Devices/BatchDeleteDevices": .project(.writer),
        "rollcall.v1.Devices/ImportDevices": .project(.writer),
        "rollcall.v1.Devices/PurgeDevices": .project(.admin),

        "rollcall.v1.Projects/ListProjects": .anyRole,
        "rollcall.v1.Projects/GetProject": .project([.reader, .reporter]),
        "rollcall.v1.Projects/GetCohort": .project(.reader),
        "rollcall.v1.Projects/ListCohorts": .project(.reader),
        "rollcall.v1.Projects/ListReleases": .project(.reader),
        "rollcall.v1.Projects/ListHardwareVersions": .project(.reader),
        "rollcall.v1.Projects/ListAttributeKeys": .project(.reader),
        "rollcall.v1.Projects/CreateCohort": .project(.writer),
        "rollcall.v1.Projects/UpdateCohort": .project(.writer),
        "rollcall.v1.Projects/DeleteCohort": .project(.writer),
        "rollcall.v1.Projects/CreateProject": .project(.admin),
        "rollcall.v1.Projects/DeleteProject": .project(.admin),

        "rollcall.v1.Server/GetServerInfo": .everyone,
        "rollcall.v1.Server/GetStats": .server(.admin),
        "rollcall.v1.Server/Backup": .server(.admin),

        "grpc.health.v1.Health/Check": .everyone,
        "grpc.health.v1.Health/List": .everyone,
        "grpc.health.v1.Health/Watch": .everyone,
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": .everyone,
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": .everyone,
    ]
}
