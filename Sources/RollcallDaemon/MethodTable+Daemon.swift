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
    init(registry: Registry, health: HealthService, quota: CallQuota, watchQuota: CallQuota, audit: AuditLog) {
        let reflection = ReflectionService(services: DeviceService.serviceNames + [HealthService.name])
        let methods =
            DeviceService(registry: registry, drain: health.drain, audit: audit).methods + health.methods
            + reflection.methods
        self.init(
            methods.map { method in
                let limited = method.name == Self.watchName ? watchQuota.limiting(method) : method
                return AccessGate(method.name, audit: audit).guarding(quota.limiting(limited))
            })
    }
}
