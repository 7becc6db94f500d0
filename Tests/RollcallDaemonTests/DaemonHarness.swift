// A daemon in this process: the real listener on a private socket, over whatever store a test gives it.

import DeviceModel
import DeviceStore
import Logging
import NIOCore
import NIOPosix
import RPC
import RollcallClient
import RollcallDaemon
import RollcallTesting
import TTRPC

/// A daemon that runs while a test's body does.
struct DaemonHarness: Sendable {
    let daemon: Daemon
    let socketPath: String

    /// Runs a daemon in `folder`, and drains it after `body`. With no store of the test's own it keeps a SQLite one
    /// there.
    static func with<Result: Sendable>(
        in folder: TemporaryFolder,
        serviceManager: ServiceManager = .absent,
        limits: Limits = Limits(),
        store: (any DeviceStore)? = nil,
        drainSeconds: Int = 10,
        access: TestAccess? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (DaemonHarness) async throws -> Result
    ) async throws -> Result {
        let socketPath = folder.path("r.sock")
        var configuration = DaemonConfiguration(
            socketPath: socketPath, dataFolder: folder.path("data"), eventLoopCount: 2
        )
        configuration.drainSeconds = drainSeconds
        access?.apply(to: &configuration)
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        var logger = Logger(label: "test") { _ in LineRelay(continuation: continuation) }
        if let access {
            let handlers: [any LogHandler] = [LineRelay(continuation: continuation), access.log.logger.handler]
            logger = Logger(label: "test") { _ in MultiplexLogHandler(handlers) }
        }
        let reloadSource = access?.reloadSource(configuration)
        let daemon = try Daemon(
            configuration, serviceManager: serviceManager, limits: limits, store: store, reloadSource: reloadSource,
            logger: logger)
        async let end: Void = Self.run(daemon) { continuation.finish() }
        // What a test waits for is then the daemon's event loops alone, however busy the pool of tasks is.
        for await line in lines where line == "listening" { break }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(DaemonHarness(daemon: daemon, socketPath: socketPath)))
        } catch {
            outcome = .failure(error)
        }
        await daemon.stop()
        try await end
        return try outcome.get()
    }

    private static func run(_ daemon: Daemon, ended: () -> Void) async throws {
        defer { ended() }
        try await daemon.run()
    }

    /// A typed client of the daemon.
    func client() async throws -> RollcallClient {
        try await RollcallClient.connect(address: self.socketPath, timeout: patience)
    }

    /// A client for one method by its name.
    func rawClient() async throws -> TTRPCClient {
        try await TTRPCClient.connect(
            path: self.socketPath,
            limits: ConnectionLimits(
                messageByteCountMax: 4 << 20, callCountMax: 1_024, queuedOutputByteCountMax: 8 << 20,
                undeliveredInputByteCountMax: 1 << 20,
                partialInputByteCountMax: 16 << 20
            ),
            logger: .silent
        )
    }
}

extension Logger {
    /// Says nothing.
    static var silent: Logger {
        Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    }
}

/// Passes the words of each line on.
private struct LineRelay: LogHandler {
    let continuation: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    init(continuation: AsyncStream<String>.Continuation) {
        self.continuation = continuation
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        self.continuation.yield("\(event.message)")
    }
}
