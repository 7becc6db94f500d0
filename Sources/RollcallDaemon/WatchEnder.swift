// Watches end with the drain: each would hold its connection for ever.

internal import DeviceRegistry
internal import RPC
internal import ServiceLifecycle

/// Ends every watch when a drain begins, so that watchers know where to go on before their connections are drained.
struct WatchEnder: Service {
    let drain: DrainSignal
    let registry: Registry

    func run() async {
        await self.drain.raised()
        self.registry.endWatches()
        // Until its turn to go comes; a service that goes before would take the daemon down.
        try? await gracefulShutdown()
    }
}
