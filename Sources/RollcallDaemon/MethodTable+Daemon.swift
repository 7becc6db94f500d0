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

    /// The operations on devices, health and reflection, for those who may call them and within the quotas: of all calls,
    /// and of watches.
    ///
    /// - Parameters:
    ///   - calls: Where all of their calls are counted.
    ///   - stats: What the server tells of them, and of everything else that it counts.
    init(
        registry: Registry, health: HealthService, quota: CallQuota, watchQuota: CallQuota, audit: AuditLog,
        calls: CallMetrics = CallMetrics(), stats: StatsCollector? = nil
    ) {
        let reflection = ReflectionService(services: DeviceService.serviceNames + [HealthService.name])
        let service = DeviceService(registry: registry, drain: health.drain, audit: audit, stats: stats)
        let methods = (service.methods + health.methods + reflection.methods).map { method in
            let limited = method.name == Self.watchName ? watchQuota.limiting(method) : method
            return AccessGate(method.name, audit: audit).guarding(quota.limiting(limited))
        }
        self.init(methods, metrics: calls)
    }
}
