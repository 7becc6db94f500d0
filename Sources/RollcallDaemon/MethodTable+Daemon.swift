// Every method that the daemon answers, whichever transport a caller speaks.

internal import DeviceRegistry
internal import DeviceService
internal import RPC
internal import Reflection

extension HealthService {
    /// Health of the daemon's services.
    convenience init() {
        self.init(services: DeviceService.serviceNames + ReflectionService.names)
    }
}

extension MethodTable {
    private static let watchName = MethodName(service: "rollcall.v1.Devices", method: "WatchDevices")

    /// What answers with much.
    private static let longAnswerNames = Set(
        [
            "ListDevices", "CountDevices", "ExportDevices", "WatchDevices", "ListReleases", "ListHardwareVersions",
            "ListAttributeKeys", "ListCohorts", "ListProjects", "Backup",
        ])

    /// The operations on devices, health and reflection, for those who may call them and within the quotas: of all calls,
    /// and of watches.
    ///
    /// - Parameters:
    ///   - ledger: What waits for callers that do not read; who has too much of it is given no long answers.
    ///   - calls: Where all of their calls are counted.
    ///   - stats: What the server tells of them, and of everything else that it counts.
    init(
        registry: Registry, health: HealthService, quota: CallQuota, watchQuota: CallQuota, audit: AuditLog,
        ledger: ByteLedger = ByteLedger(), calls: CallMetrics = CallMetrics(), stats: StatsCollector? = nil
    ) {
        let reflection = ReflectionService(services: DeviceService.serviceNames + [HealthService.name])
        let service = DeviceService(
            registry: registry, drain: health.drain, audit: audit, stats: stats,
            refusalOfLongAnswers: ledger.refusalOfLongAnswers)
        let methods = (service.methods + health.methods + reflection.methods).map { method in
            var guarded = method
            if method.name == Self.watchName { guarded = watchQuota.limiting(guarded) }
            guarded = quota.limiting(guarded)
            if Self.longAnswerNames.contains(method.name.method) { guarded = ledger.sparing(guarded) }
            return AccessGate(method.name, audit: audit).guarding(guarded)
        }
        self.init(methods, metrics: calls)
    }
}

extension ByteLedger {
    /// `method`, refusing with RESOURCE_EXHAUSTED a user who leaves much unread: to make more of that would cost the others
    /// their time.
    fileprivate func sparing(_ method: Method) -> Method {
        method.guarded { (context) throws(Status) in
            if let status = self.refusalOfLongAnswers(context.peer.userID) { throw status }
        }
    }

    fileprivate func refusalOfLongAnswers(_ userID: UInt32) -> Status? {
        guard self.isBehind(userID) else { return nil }
        return .limitExceeded(
            """
            More than \(self.byteCountMaxPerUser) bytes wait for the user's connections (queued_bytes_per_uid): read, or \
            finish what was begun, or close what does neither, and call again.
            """)
    }
}
