// The daemon's parts, put together: socket, store, registry, methods, listener; and the order in which they come and
// go.

internal import Access
internal import CRollcallShims
package import DeviceModel
internal import DeviceRegistry
internal import DeviceService
package import DeviceStore
internal import Glibc
package import Logging
internal import NIOCore
internal import NIOPosix
internal import RPC
internal import ServiceLifecycle

/// A daemon that has its socket and its store, and serves them while ``run()`` does.
package final class Daemon: Sendable {
    private let registry: Registry
    private let serviceGroup: ServiceGroup
    private let eventLoopGroup: MultiThreadedEventLoopGroup
    private let reloader: Reloader?
    private let audit: AuditLog
    private let logger: Logger

    /// Takes the socket's path, opens and loads the store, and listens: callers may connect from here on, and are
    /// served as soon as ``run()`` is. Blocks for as long as the store takes to load.
    ///
    /// - Parameters:
    ///   - serviceManager: whoever started the process, and may have passed it a socket.
    ///   - store: what to keep the devices in; nil opens the SQLite store in the configuration's data folder.
    ///   - stopsOnSignals: whether SIGTERM and SIGINT drain the daemon; for the one daemon of a process.
    ///   - reloadSource: where ``reload()`` reads the settings again, which SIGHUP then asks for where the others stop
    ///     the daemon; nil: nowhere.
    /// - Throws: ``DaemonError`` with `start` and a sentence that names the file.
    package init(
        _ configuration: DaemonConfiguration,
        serviceManager: ServiceManager = .absent,
        limits: Limits = Limits(),
        store: (any DeviceStore)? = nil,
        stopsOnSignals: Bool = false,
        reloadSource: ReloadSource? = nil,
        logger: Logger
    ) throws(DaemonError) {
        var limits = limits
        limits.clockSkewMicrosecondsMax = Int64(configuration.clockSkewSeconds) * 1_000_000
        let passedGroupID = serviceManager.socket.flatMap { $0.isStored ? nil : $0.groupID }
        let rules = try AccessRules(configuration, passedGroupID: passedGroupID)
        let access = AccessControl(rules)
        let audit = AuditLog(logger: logger)
        let notifier = ServiceNotifier(serviceManager, logger: logger)
        let reloader = reloadSource.map {
            Reloader($0, access, rules, passedGroupID: passedGroupID, notifier, logger: logger)
        }
        // The path before the store: of two daemons with the same settings the second should hear of the first.
        let socketOrigin = try SocketOrigin(configuration, serviceManager)
        notifier.report("Loading \(configuration.dataFolder)")
        let loadStart = ContinuousClock.now
        let registry = try Self.open(store, configuration.dataFolder, limits: limits, logger: logger)
        let loadDuration = ContinuousClock.now - loadStart
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopCount)
        do throws(DaemonError) {
            // Before callers can connect: whoever finds the daemon answering may also stop it. Until here a signal
            // just ends it.
            let stopSignals = stopsOnSignals ? try StopSignals(eventLoopGroup: group, logger: logger) : nil
            let socket = try socketOrigin.listen(configuration, notifier, logger)
            let health = HealthService()
            let memory = MemoryReturn()
            let ledger = Self.makeLedger(limits, memory, logger)
            let calls = CallMetrics()
            let stats = StatsCollector(registry: registry, calls: calls)
            let methods = MethodTable(
                registry: registry, health: health, quota: CallQuota(countMaxPerUser: limits.callCountMaxPerUser),
                watchQuota: CallQuota(countMaxPerUser: limits.watcherCountMaxPerUser, limitName: "watchers_per_uid"),
                audit: audit, ledger: ledger, calls: calls, stats: stats
            )
            let listener = Listener(
                socket: socket,
                methods: methods,
                connectionLimits: ConnectionLimits(limits),
                ledger: ledger,
                table: ConnectionTable(limits, userID: geteuid(), memory: memory),
                access: access,
                refused: RefusedConnections(methods: methods, limits: limits, logger: logger),
                acceptPace: AcceptPace(
                    countPerSecond: limits.connectionCountMaxPerSecond, burstCount: limits.connectionBurstCount),
                drainDeadline: .seconds(Int64(configuration.drainSeconds)),
                eventLoopGroup: group,
                logger: logger
            ) { [deviceCount = registry.deviceCount] in
                logger.info(
                    "listening",
                    metadata: [
                        "socket": "\(configuration.socketPath)", "data": "\(configuration.dataFolder)",
                        "devices": "\(deviceCount)", "load.milliseconds": "\(loadDuration / .milliseconds(1))",
                    ]
                )
                notifier.ready("Serving \(configuration.socketPath), \(deviceCount) devices loaded")
            }
            // Shut down in the reverse order, one after the other: callers are told first, and connections finish before
            // the registry closes.
            var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
                .init(
                    service: ServiceReporter(
                        notifier: notifier, watchdogTimeout: serviceManager.watchdogTimeout, eventLoopGroup: group,
                        registry: registry, drain: health.drain
                    )
                ),
                .init(service: RegistryKeeper(registry: registry)), .init(service: listener),
                .init(service: WatchEnder(drain: health.drain, registry: registry)),
                .init(service: health),
            ]
            if stopsOnSignals, let reloader {
                services.append(.init(service: try ReloadSignal(reloader, eventLoopGroup: group)))
            }
            if let path = configuration.metricsFile {
                services.append(.init(service: MetricsFile(path: path, stats: stats, logger: logger)))
            }
            if let stopSignals {
                services.append(.init(service: stopSignals, successTerminationBehavior: .gracefullyShutdownGroup))
            }
            self.serviceGroup = ServiceGroup(configuration: .init(services: services, logger: logger))
        } catch {
            registry.close()
            group.shutdownGracefully { _ in }
            throw error
        }
        self.registry = registry
        self.eventLoopGroup = group
        self.reloader = reloader
        self.audit = audit
        self.logger = logger
        group.next().scheduleRepeatedTask(initialDelay: .minutes(1), delay: .minutes(1)) { _ in
            audit.tellUntoldRefusals()
        }
        Self.raiseDescriptorLimit(limits, logger)
    }

    /// Serves until ``stop()`` or a signal, and then until the drain is over and the store is closed.
    package func run() async throws {
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await self.serviceGroup.run())
        } catch {
            outcome = .failure(error)
        }
        try await self.eventLoopGroup.shutdownGracefully()
        self.audit.tellUntoldRefusals(isEnding: true)
        try outcome.get()
        self.logger.info("stopped")
    }

    /// Starts the drain, as SIGTERM does; ``run()`` returns when it is over.
    package func stop() async {
        await self.serviceGroup.triggerGracefulShutdown()
    }

    /// Reads access rules and log level again, and applies them to whoever is connected, as SIGHUP does.
    package func reload() async {
        await self.reloader?.reload()
    }

    private static func open(
        _ store: (any DeviceStore)?, _ folder: String, limits: Limits, logger: Logger
    ) throws(DaemonError) -> Registry {
        do throws(StoreError) {
            let store: any DeviceStore =
                if let store { store } else { try Self.openStore(folder, limits: limits, logger: logger) }
            do throws(StoreError) {
                return try Registry(store: store, limits: limits, logger: logger)
            } catch {
                store.close()
                throw error
            }
        } catch {
            throw DaemonError(.start, "\(error)")
        }
    }

    private static func openStore(
        _ folder: String, limits: Limits, logger: Logger
    ) throws(StoreError) -> SQLiteStore {
        var options = SQLiteStore.Options(limits: limits)
        options.onBackgroundFailure = { failure in
            logger.error("store upkeep failed", metadata: ["error": "\(failure)"])
        }
        return try SQLiteStore(folder: folder, options: options)
    }

    private static func makeLedger(_ limits: Limits, _ memory: MemoryReturn, _ logger: Logger) -> ByteLedger {
        let log = BoundedLog(logger, .warning, "connection ended for what it keeps waiting")
        return ByteLedger(
            byteCountMax: limits.queuedTotalByteCountMax,
            byteCountMaxPerUser: limits.queuedByteCountMaxPerUser,
            connectionEnded: { log.log(["peer.uid": "\($0)", "bytes": "\($1)"]) },
            released: memory.released
        )
    }

    /// A descriptor for each connection and some for the daemon itself, as far as the system lets it.
    private static func raiseDescriptorLimit(_ limits: Limits, _ logger: Logger) {
        var limit: UInt64 = 0
        let error = rollcall_descriptor_limit_raise(&limit)
        if error != 0 || limit < UInt64(limits.connectionCountMax + 64) {
            logger.warning(
                "fewer descriptors than connections allowed",
                metadata: ["descriptors": "\(limit)", "connections": "\(limits.connectionCountMax)"]
            )
        }
    }
}

extension ConnectionLimits {
    fileprivate init(_ limits: Limits) {
        self.init(
            messageByteCountMax: limits.messageByteCountMax,
            callCountMax: limits.callCountMaxPerConnection,
            queuedOutputByteCountMax: limits.queuedOutputByteCountMax,
            undeliveredInputByteCountMax: limits.undeliveredInputByteCountMax,
            partialInputByteCountMax: limits.partialInputByteCountMax
        )
        self.loopTurnNanosecondsMax = limits.loopTurnNanosecondsMax
    }
}
