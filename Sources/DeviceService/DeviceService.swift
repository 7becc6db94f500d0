// The operations of rollcall.v1 over one registry, for any transport.

package import DeviceRegistry
package import NIOCore
package import RPC

/// Answers every method of `rollcall.v1`: decodes the request, calls the registry, encodes the reply.
///
/// ## Concurrency
/// Reads are answered on the thread that calls, under the registry's shared lock; mutations answer from the writer's thread.
package struct DeviceService: Sendable {
    let registry: Registry
    /// Ends what would outlast a drain.
    let drain: DrainSignal
    private let audit: AuditLog
    /// When the daemon began to serve.
    let startedAt: NIODeadline
    let stats: StatsCollector
    /// Why a user is given no long answers now; nil where it is.
    let refusalOfLongAnswers: @Sendable (_ userID: UInt32) -> Status?

    /// Full names of the services that ``methods`` belong to.
    package static let serviceNames = ["rollcall.v1.Devices", "rollcall.v1.Projects", "rollcall.v1.Server"]

    /// - Parameters:
    ///   - drain: Raised when the daemon is going away.
    ///   - audit: Told of refused calls, and of what admins change.
    ///   - stats: What GetStats answers; nil leaves calls uncounted.
    ///   - refusalOfLongAnswers: Asked again when a query that had to wait has its turn.
    ///   - startedAt: When the daemon began to serve, for GetServerInfo's uptime.
    package init(
        registry: Registry, drain: DrainSignal = DrainSignal(), audit: AuditLog, stats: StatsCollector? = nil,
        refusalOfLongAnswers: @escaping @Sendable (_ userID: UInt32) -> Status? = { _ in nil },
        startedAt: NIODeadline = .now()
    ) {
        self.registry = registry
        self.drain = drain
        self.audit = audit
        self.stats = stats ?? StatsCollector(registry: registry, calls: CallMetrics())
        self.refusalOfLongAnswers = refusalOfLongAnswers
        self.startedAt = startedAt
    }

    /// The door of a method.
    func gate(_ method: MethodName) -> AccessGate {
        AccessGate(method, audit: self.audit)
    }

    /// Every method, for a transport's table.
    package var methods: [Method] {
        [
            self.createDevice, self.getDevice, self.listDevices, self.updateDevice, self.deleteDevice,
            self.getDeviceAttributes, self.updateDeviceAttributes, self.checkIn, self.checkInStream, self.countDevices,
            self.batchGetDevices, self.batchCreateDevices, self.batchUpdateDevices, self.batchDeleteDevices,
            self.purgeDevices, self.importDevices, self.exportDevices, self.watchDevices,
            self.createProject, self.getProject, self.listProjects, self.deleteProject,
            self.createCohort, self.getCohort, self.listCohorts, self.updateCohort, self.deleteCohort,
            self.listReleases, self.listHardwareVersions, self.listAttributeKeys,
            self.getServerInfo, self.getStats, self.backup,
        ]
    }
}

extension MethodName {
    /// A method of `rollcall.v1.Devices`.
    static func devices(_ method: String) -> MethodName {
        MethodName(service: "rollcall.v1.Devices", method: method)
    }

    /// A method of `rollcall.v1.Projects`.
    static func projects(_ method: String) -> MethodName {
        MethodName(service: "rollcall.v1.Projects", method: method)
    }

    /// A method of `rollcall.v1.Server`.
    static func server(_ method: String) -> MethodName {
        MethodName(service: "rollcall.v1.Server", method: method)
    }
}
