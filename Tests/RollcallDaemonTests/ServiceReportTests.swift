import DeviceModel
import DeviceRegistry
import Foundation
import NIOCore
import NIOPosix
import RPC
import RollcallClient
@testable import RollcallDaemon
import RollcallTesting
import Testing

/// What a daemon tells its service manager, and that it tells nothing while it is stuck.
@Suite(.timeLimit(.minutes(2))) struct ServiceReportTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func manager(_ receiver: NotificationReceiver) throws(DaemonError) -> ServiceManager {
        try ServiceManager(environment: ["NOTIFY_SOCKET": receiver.address], processID: getpid())
    }

    /// A manager that passes a socket which an earlier process stored as `notification` says.
    private func manager(
        _ receiver: NotificationReceiver, passing notification: ServiceNotification
    ) throws -> ServiceManager {
        var environment = ["NOTIFY_SOCKET": receiver.address, "LISTEN_PID": "\(getpid())", "LISTEN_FDS": "1"]
        environment["LISTEN_FDNAMES"] = notification["FDNAME"]
        return try ServiceManager(
            environment: environment, processID: getpid(), firstDescriptor: #require(notification.descriptor))
    }

    @Test func whatHappensIsToldInItsOrder() async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        try await DaemonHarness.with(in: self.folder, serviceManager: self.manager(receiver)) { harness in
            #expect(try await receiver.next().lines == ["STATUS=Loading \(self.folder.path("data"))"])
            let stored = try await receiver.next()
            #expect(stored.lines.first == "FDSTORE=1" && stored["FDNAME"]?.hasPrefix("rollcall.stored-") == true)
            close(try #require(stored.descriptor))
            #expect(
                try await receiver.next().lines == [
                    "READY=1", "STATUS=Serving \(harness.socketPath), 0 devices loaded",
                ]
            )
        }
        #expect(try await receiver.next().lines == ["STOPPING=1", "STATUS=Draining"])
        #expect(receiver.takeAll() == 0)
    }

    @Test func aManagerMayListenAtAnAbstractName() async throws {
        let receiver = try NotificationReceiver("@rollcall-\(UUID().uuidString)")
        ServiceNotifier(try self.manager(receiver), logger: .silent).ready("Serving")
        #expect(try await receiver.next().lines == ["READY=1", "STATUS=Serving"])
    }

    @Test func aReloadIsToldBeforeAndAfter() async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        let before = DispatchTime.now().uptimeNanoseconds / 1_000
        await ServiceNotifier(try self.manager(receiver), logger: .silent).reloading {
            #expect(receiver.takeAll() == 1)
        }
        #expect(try await receiver.next().lines == ["READY=1"])
        await ServiceNotifier(try self.manager(receiver), logger: .silent).reloading {}
        let reloading = try await receiver.next()
        #expect(reloading["RELOADING"] == "1")
        let microseconds = try #require(reloading["MONOTONIC_USEC"].flatMap { UInt64($0) })
        #expect((before...DispatchTime.now().uptimeNanoseconds / 1_000).contains(microseconds))
    }

    @Test func aLineFeedInAPathBeginsNoNotification() async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        ServiceNotifier(try self.manager(receiver), logger: .silent).report("Serving /a\nMAINPID=1\r\nX=1")
        #expect(try await receiver.next().lines == ["STATUS=Serving /a MAINPID=1 X=1"])
    }

    @Test func aManagerThatIsGoneIsNoReasonToEnd() async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        let manager = try self.manager(receiver)
        try FileManager.default.removeItem(atPath: receiver.address)
        try await DaemonHarness.with(in: self.folder, serviceManager: manager) { harness in
            let client = try await harness.client()
            _ = try await client.serverInfo()
            await client.close()
        }
    }

    // MARK: The socket's way from one process to the next

    @Test func callersWaitInAStoredSocketUntilTheNextDaemonServesThem() async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        try await DaemonHarness.with(in: self.folder, serviceManager: self.manager(receiver)) { _ in }
        let stored = try await receiver.next(saying: "FDSTORE=1")
        try await receiver.next(saying: "STOPPING=1")
        let connection = try #require(RawConnection(self.folder.path("r.sock")))
        await connection.send(WireFrame.request(1, "Server/GetServerInfo").bytes)
        let manager = try self.manager(receiver, passing: stored)
        try await DaemonHarness.with(in: self.folder, serviceManager: manager) { _ in
            #expect(await connection.receive()?.isEmpty == false)
        }
        connection.close()
        // What is stored already is not stored again, and its file is there for the process after this one.
        while let notification = try? await receiver.next(), notification["STOPPING"] == nil {
            #expect(notification["FDSTORE"] == nil)
        }
        #expect(FileManager.default.fileExists(atPath: self.folder.path("r.sock")))
    }

    @Test func aStoredSocketGetsTheModeThatHoldsNow() async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        try await DaemonHarness.with(in: self.folder, serviceManager: self.manager(receiver)) { _ in }
        let path = self.folder.path("r.sock")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let stored = try await receiver.next(saying: "FDSTORE=1")
        try await DaemonHarness.with(in: self.folder, serviceManager: self.manager(receiver, passing: stored)) { _ in
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o660)
        }
    }

    @Test(arguments: [true, false])
    func aStoredSocketThatIsNotWhereItShouldBeIsReplaced(isMissing: Bool) async throws {
        let receiver = try NotificationReceiver(self.folder.path("n"))
        try await DaemonHarness.with(in: self.folder, serviceManager: self.manager(receiver)) { _ in }
        let stored = try await receiver.next(saying: "FDSTORE=1")
        try await receiver.next(saying: "STOPPING=1")
        let next = isMissing ? self.folder : try TemporaryFolder()
        if isMissing {
            try FileManager.default.removeItem(atPath: self.folder.path("r.sock"))
        }
        try await DaemonHarness.with(in: next, serviceManager: self.manager(receiver, passing: stored)) { harness in
            let name = try #require(stored["FDNAME"])
            #expect(try await receiver.next(saying: "FDSTOREREMOVE=1")["FDNAME"] == name)
            let again = try await receiver.next(saying: "FDSTORE=1")
            // A file that is made anew may have the number of the one that is gone.
            #expect(isMissing || again["FDNAME"] != name)
            close(try #require(again.descriptor))
            let client = try await harness.client()
            _ = try await client.serverInfo()
            await client.close()
        }
    }

    @Test func thePassedSocketOfAUnitIsServedAndLeftAsItWas() async throws {
        let path = self.folder.path("r.sock")
        let unit = try ListeningSocket(path: path, mode: 0o640, groupID: nil)
        let before = try FileManager.default.attributesOfItem(atPath: path)
        try FileManager.default.removeItem(atPath: "\(path).lock")
        let receiver = try NotificationReceiver(self.folder.path("n"))
        // The unit has a descriptor of its own.
        let passed = ServiceNotification(lines: ["FDNAME=rollcalld.socket"], descriptor: dup(unit.descriptor))
        try await DaemonHarness.with(in: self.folder, serviceManager: self.manager(receiver, passing: passed)) {
            harness in
            let client = try await harness.client()
            _ = try await client.serverInfo()
            await client.close()
            #expect(!FileManager.default.fileExists(atPath: "\(path).lock"))
        }
        #expect(try await receiver.next()["STATUS"]?.hasPrefix("Loading ") == true)
        #expect(try await receiver.next()["READY"] == "1")
        let after = try FileManager.default.attributesOfItem(atPath: path)
        for key in [FileAttributeKey.systemFileNumber, .posixPermissions, .groupOwnerAccountID] {
            let (old, new) = (try #require(before[key]), try #require(after[key]))
            #expect("\(old)" == "\(new)", "\(key.rawValue)")
        }
        try #require(RawConnection(path)).close()
        close(unit.descriptor)
    }

    // MARK: Signs of life

    /// A reporter with event loops and a registry of its own.
    private struct Reporter {
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let registry: Registry
        let receiver: NotificationReceiver

        init(_ address: String) throws {
            self.registry = try Registry(store: MemoryStore(), limits: Limits(), logger: .silent)
            self.receiver = try NotificationReceiver(address)
        }

        /// Shows life every millisecond for as long as `body` runs.
        func run(_ body: () async throws -> Void) async throws {
            let manager = try ServiceManager(environment: ["NOTIFY_SOCKET": self.receiver.address], processID: 1)
            let reporter = ServiceReporter(
                notifier: ServiceNotifier(manager, logger: .silent), watchdogTimeout: .milliseconds(2),
                eventLoopGroup: self.eventLoops, registry: self.registry, drain: DrainSignal())
            try await withThrowingTaskGroup { group in
                group.addTask { await reporter.run() }
                try await body()
                group.cancelAll()
            }
            self.registry.close()
            try await self.eventLoops.shutdownGracefully()
        }

        /// Waits until it gives no sign of life while another one gives ten.
        func isSilent(beside other: Reporter) async throws {
            try await poll {
                _ = self.receiver.takeAll()
                for _ in 0..<10 { try await other.receiver.next(saying: "WATCHDOG=1") }
                return self.receiver.takeAll() == 0
            }
        }
    }

    /// Runs `stick`, which is to hold something up until the semaphore is signalled, and expects silence until then.
    private func expectSilence(while stick: @Sendable (Reporter, DispatchSemaphore) -> Void) async throws {
        let stuck = try Reporter(self.folder.path("stuck"))
        let other = try Reporter(self.folder.path("other"))
        try await other.run {
            try await stuck.run {
                try await stuck.receiver.next(saying: "WATCHDOG=1")
                let release = DispatchSemaphore(value: 0)
                defer { release.signal() }
                stick(stuck, release)
                try await stuck.isSilent(beside: other)
                release.signal()
                try await stuck.receiver.next(saying: "WATCHDOG=1")
            }
        }
    }

    @Test(arguments: [0, 1])
    func aStuckEventLoopStopsTheSignsOfLife(number: Int) async throws {
        try await self.expectSilence { reporter, release in
            let eventLoops = Array(reporter.eventLoops.makeIterator())
            eventLoops[number].execute { release.wait() }
        }
    }

    /// A reader that does not end keeps the writer waiting, and that every other reader.
    @Test func aStuckRegistryStopsTheSignsOfLife() async throws {
        try await self.expectSilence { reporter, release in
            let isRead = DispatchSemaphore(value: 0)
            DispatchQueue.global().async {
                reporter.registry.read { _ in
                    isRead.signal()
                    release.wait()
                }
            }
            isRead.wait()
            reporter.registry.submit(MutationRequest(project: "lab", mutation: .createProject(name: "Lab"))) { _ in }
        }
    }
}
