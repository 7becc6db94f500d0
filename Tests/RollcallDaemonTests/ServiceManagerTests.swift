import Access
import Foundation
@testable import RollcallDaemon
import RollcallTesting
import Testing

/// What is taken from the environment and from open descriptors at the start.
@Suite struct ServiceManagerTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func manager(
        _ environment: [String: String], firstDescriptor: Int32 = 3
    ) throws(DaemonError) -> ServiceManager {
        try ServiceManager(environment: environment, processID: 42, firstDescriptor: firstDescriptor)
    }

    private func refusal(_ environment: [String: String], firstDescriptor: Int32 = 3) -> DaemonError? {
        do {
            _ = try self.manager(environment, firstDescriptor: firstDescriptor)
            return nil
        } catch {
            return error
        }
    }

    /// A listening socket, whose lock and file are left as they are.
    private func listen() throws -> ListeningSocket {
        try ListeningSocket(path: self.folder.path("r.sock"), mode: 0o600, groupID: nil)
    }

    @Test func withoutVariablesThereIsNoManager() throws {
        let manager = try self.manager(["PATH": "/bin"])
        #expect(manager.socket == nil && manager.notificationAddress == nil && manager.watchdogTimeout == nil)
    }

    @Test(arguments: ["43", "", "4 2", "-42"])
    func variablesForAnotherProcessAreLeftAlone(processID: String) throws {
        let manager = try self.manager([
            "LISTEN_PID": processID, "LISTEN_FDS": "nonsense", "WATCHDOG_PID": processID, "WATCHDOG_USEC": "nonsense",
        ])
        #expect(manager.socket == nil && manager.watchdogTimeout == nil)
    }

    @Test(arguments: [["LISTEN_FDS": "1"], ["LISTEN_PID": "42"], ["LISTEN_PID": "42", "LISTEN_FDS": "0"]])
    func noSocketIsTakenWhereNoneIsPassed(environment: [String: String]) throws {
        #expect(try self.manager(environment).socket == nil)
    }

    @Test func aWatchdogIsForWhomItNamesOrForAnybody() throws {
        for environment in [["WATCHDOG_USEC": "1500000"], ["WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "42"]] {
            #expect(try self.manager(environment).watchdogTimeout == .milliseconds(1_500))
        }
    }

    @Test(arguments: [
        (["WATCHDOG_USEC": "0"], "WATCHDOG_USEC must be a number of microseconds, at least 1, not \"0\"."),
        (["WATCHDOG_USEC": "soon"], "WATCHDOG_USEC must be a number of microseconds, at least 1, not \"soon\"."),
        (["LISTEN_PID": "42", "LISTEN_FDS": ""], "LISTEN_FDS must be a number of descriptors, not \"\"."),
        (["LISTEN_PID": "42", "LISTEN_FDS": "-1"], "LISTEN_FDS must be a number of descriptors, not \"-1\"."),
        (
            ["LISTEN_PID": "42", "LISTEN_FDS": "2147483647"],
            "LISTEN_FDS must be a number of descriptors, not \"2147483647\"."
        ),
    ])
    func aVariableThatMakesNoSenseIsNamed(environment: [String: String], sentence: String) {
        #expect(self.refusal(environment) == DaemonError(.configuration, sentence))
    }

    @Test(arguments: [("2", "a:b", " (a, b)"), ("2", nil, ""), ("1", "a:b", " (a, b)")] as [(String, String?, String)])
    func moreThanOneSocketIsRefused(count: String, names: String?, list: String) {
        var environment = ["LISTEN_PID": "42", "LISTEN_FDS": count]
        environment["LISTEN_FDNAMES"] = names
        #expect(
            self.refusal(environment)
                == DaemonError(
                    .start,
                    "The service manager passes 2 descriptors\(list); Rollcall serves one socket: leave one ListenStream= in the socket unit."
                )
        )
    }

    @Test func aPassedSocketIsTakenWithItsNameAndPathAndNotPassedOn() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        #expect(fcntl(socket.descriptor, F_SETFD, 0) == 0)
        let environment = ["LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "rollcalld.socket"]
        let passed = try #require(try self.manager(environment, firstDescriptor: socket.descriptor).socket)
        #expect(passed.descriptor == socket.descriptor)
        #expect(passed.name == "rollcalld.socket")
        #expect(passed.path == self.folder.path("r.sock"))
        #expect(!passed.isStored)
        #expect(fcntl(socket.descriptor, F_GETFD) == FD_CLOEXEC)
        withExtendedLifetime(socket) {}
    }

    /// Where nothing else is configured, its group writes: not the daemon's own.
    @Test func aPassedSocketTellsItsGroup() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        let group: UInt32 = geteuid() == 0 ? 4_242 : getegid()
        #expect(chown(socket.path, uid_t.max, group) == 0)
        let passed = try PassedSocket(descriptor: socket.descriptor, name: "s")
        #expect(passed.groupID == group)
        let configuration = DaemonConfiguration(socketPath: socket.path, dataFolder: "", eventLoopCount: 1)
        let rules = try AccessRules(configuration, passedGroupID: passed.groupID)
        #expect(rules.rules.last?.text == "group:\(group)=writer")
        withExtendedLifetime(socket) {}
    }

    @Test func anAbstractSocketIsServedToo() throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        // Without a name of its own, a socket that is bound gets an abstract one of five digits.
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sa_family_t>.size)) == 0
            }
        }
        #expect(isBound && Foundation.listen(descriptor, 1) == 0)
        let passed = try PassedSocket(descriptor: descriptor, name: "s")
        #expect(passed.groupID == nil)
        #expect(passed.path.hasPrefix("@") && passed.path.utf8.count == 6, "\(passed.path)")
    }

    @Test(
        arguments: [
            (nil, "is not open"), ((AF_INET, SOCK_STREAM), "is a socket of another kind"),
            ((AF_UNIX, SOCK_DGRAM), "is a socket of another kind"), ((AF_UNIX, SOCK_STREAM), "does not listen"),
        ] as [((Int32, __socket_type)?, String)])
    func aDescriptorThatCannotBeServedIsNamed(kind: (Int32, __socket_type)?, fault: String) {
        let descriptor = kind.map { socket($0, Int32($1.rawValue), 0) } ?? 1_000_000
        defer { close(descriptor) }
        self.expectRefusal(of: descriptor, fault)
    }

    @Test func aDescriptorThatIsNoSocketIsNamed() {
        let descriptor = open("/dev/null", O_RDONLY)
        defer { close(descriptor) }
        self.expectRefusal(of: descriptor, "is no socket")
    }

    private func expectRefusal(of descriptor: Int32, _ fault: String) {
        let environment = ["LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x"]
        #expect(
            self.refusal(environment, firstDescriptor: descriptor)
                == DaemonError(
                    .start,
                    "The descriptor \(descriptor) (x) that the service manager passes \(fault); Rollcall serves a listening Unix stream socket, as ListenStream=/PATH makes it."
                )
        )
    }

    @Test func thePathOfAPassedSocketIsTheSettingThatNobodyMade() async throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        let manager = try self.manager(
            ["LISTEN_PID": "42", "LISTEN_FDS": "1"], firstDescriptor: socket.descriptor)
        // A service's user has no socket of its own, and RUNTIME_DIRECTORY may be there for other reasons.
        for environment in [["STATE_DIRECTORY": "/s"], ["STATE_DIRECTORY": "/s", "RUNTIME_DIRECTORY": "/r"]] {
            let configuration = try await DaemonConfiguration.read(
                flags: DaemonFlags(), environment: environment, userID: 990, serviceManager: manager)
            #expect(configuration.socketPath == self.folder.path("r.sock"))
        }
        withExtendedLifetime(socket) {}
    }

    @Test func anotherPathThanThatOfThePassedSocketIsRefused() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        let manager = try self.manager(
            ["LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "rollcalld.socket"],
            firstDescriptor: socket.descriptor)
        let configuration = DaemonConfiguration(socketPath: "/o.sock", dataFolder: "/d", eventLoopCount: 1)
        #expect(
            throws: DaemonError(
                .configuration,
                "The socket is to be at /o.sock, but the service manager passes one at \(self.folder.path("r.sock")) (rollcalld.socket): take the setting out, or change ListenStream= in the socket unit."
            )
        ) { try SocketOrigin(configuration, manager) }
        withExtendedLifetime(socket) {}
    }
}
