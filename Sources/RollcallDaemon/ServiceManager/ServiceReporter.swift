// Signs of life for the service manager, from where calls are served, and word of the drain.

internal import DeviceRegistry
internal import NIOCore
internal import RPC
internal import ServiceLifecycle

/// Tells the service manager when the drain begins, and every half of its watchdog's time that the daemon lives.
///
/// A sign of life takes every event loop, and on each the registry's lock as a read does: it comes only while calls
/// can be answered. A commit that waits for the disk stops none, for reads go on. Signs come until the store is closed:
/// this is the first of the services, which goes last.
struct ServiceReporter: Service {
    let notifier: ServiceNotifier
    let watchdogTimeout: Duration?
    let eventLoopGroup: any EventLoopGroup
    let registry: Registry
    let drain: DrainSignal

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.drain.raised()
                self.notifier.stopping("Draining")
            }
            if let watchdogTimeout {
                group.addTask {
                    await cancelWhenGracefulShutdown { await self.showLife(every: watchdogTimeout / 2) }
                }
            }
            // A service that goes before its turn would take the daemon down.
            try? await gracefulShutdown()
        }
    }

    private func showLife(every interval: Duration) async {
        do {
            while true {
                try await Task.sleep(for: interval)
                for eventLoop in self.eventLoopGroup.makeIterator() {
                    try await eventLoop.submit { self.registry.read { _ in } }.get()
                }
                self.notifier.alive()
            }
        } catch {
            // The daemon ends, and with it the sleep or an event loop.
        }
    }
}

extension ServiceReporter: CustomStringConvertible {
    /// What the log of services names it; its values would fill pages.
    var description: String {
        "ServiceReporter"
    }
}
