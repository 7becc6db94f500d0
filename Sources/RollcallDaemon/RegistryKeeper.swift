// Keeps the registry for as long as anything may call it, and closes it last.

internal import DeviceRegistry
internal import NIOPosix
internal import ServiceLifecycle

/// Closes the registry, and with it the store, once every service that was started after it is down.
struct RegistryKeeper: Service {
    let registry: Registry

    func run() async throws {
        // Cancellation ends the wait as well; both ways the store is closed in order.
        try? await gracefulShutdown()
        try await NIOThreadPool.singleton.runIfActive { self.registry.close() }
    }
}
