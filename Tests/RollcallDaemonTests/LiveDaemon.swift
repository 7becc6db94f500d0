// One real daemon for all tests of a suite, and a hold on the store of one.

import DeviceStore
import Foundation
import RPC
import RollcallClient
import RollcallTesting
import Testing

/// Runs a `rollcalld` around the tests of a suite.
struct SharedDaemon: SuiteTrait, TestScoping {
    @TaskLocal private static var current: DaemonProcess?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            try await Self.$current.withValue(daemon) { try await function() }
            #expect(daemon.child.isRunning, "\(daemon.child.standardError)")
        }
    }

    /// The daemon of the suite whose test asks.
    static func daemon() throws -> DaemonProcess {
        try #require(Self.current)
    }

    /// Runs `body` once for each protocol, with a client that calls the suite's daemon by it, in a project that no other test
    /// uses.
    static func withClient(_ body: (RollcallClient) async throws -> Void) async throws {
        let daemon = try self.daemon()
        for wire in TestProtocol.allCases {
            try await daemon.withClient(wire) { client in
                let project = try await client.createProject(UUID().uuidString)
                try await body(client.with(project: project.slug))
            }
        }
    }
}

extension Trait where Self == SharedDaemon {
    /// One daemon for all tests of the suite.
    static var sharedDaemon: Self { Self() }
}

extension DaemonProcess {
    /// Calls the daemon by `wire` over a connection that ends with `body`.
    func withClient<Result: Sendable>(
        _ wire: TestProtocol, _ body: (RollcallClient) async throws -> Result
    ) async throws -> Result {
        try await Self.withClient(self.socketPath, wire, body)
    }

    /// The same of whichever daemon listens on a path.
    static func withClient<Result: Sendable>(
        _ path: String, _ wire: TestProtocol, _ body: (RollcallClient) async throws -> Result
    ) async throws -> Result {
        switch wire {
        case .ttrpc:
            return try await Self.withClient(path) { try await body($0) }
        case .grpc:
            return try await GRPCBridge.with(path, Self.methodNames, streaming: Self.streamingMethods) { path in
                try await Self.withClient(path) { try await body($0) }
            }
        }
    }

    /// The methods that stream.
    private static let streamingMethods: [(MethodName, StreamKind)] = [
        (MethodName(service: "rollcall.v1.Devices", method: "CheckInStream"), .bidirectional),
        (MethodName(service: "rollcall.v1.Devices", method: "ImportDevices"), .bidirectional),
        (MethodName(service: "rollcall.v1.Devices", method: "ExportDevices"), .server),
        (MethodName(service: "rollcall.v1.Server", method: "Backup"), .server),
    ]

    /// Every unary method.
    private static let methodNames = [
        "Devices": [
            "CreateDevice", "GetDevice", "ListDevices", "UpdateDevice", "DeleteDevice", "GetDeviceAttributes",
            "UpdateDeviceAttributes", "CheckIn", "CountDevices", "BatchGetDevices", "BatchCreateDevices",
            "BatchUpdateDevices", "BatchDeleteDevices", "PurgeDevices",
        ],
        "Projects": [
            "CreateProject", "GetProject", "ListProjects", "DeleteProject", "CreateCohort", "GetCohort", "ListCohorts",
            "UpdateCohort", "DeleteCohort", "ListReleases", "ListHardwareVersions", "ListAttributeKeys",
        ],
        "Server": ["GetServerInfo", "GetStats"],
    ].flatMap { service, methods in methods.map { MethodName(service: "rollcall.v1.\(service)", method: $0) } }

    /// Calls the daemon over a connection that ends with `body`.
    func withClient<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: (RollcallClient) async throws -> Result
    ) async throws -> Result {
        try await Self.withClient(self.socketPath, body)
    }

    private static func withClient<Result>(
        _ path: String, isolation: isolated (any Actor)? = #isolation, _ body: (RollcallClient) async throws -> Result
    ) async throws -> Result {
        let client = try await RollcallClient.connect(address: path, timeout: patience)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(client))
        } catch {
            outcome = .failure(error)
        }
        await client.close()
        return try outcome.get()
    }

    /// Takes SQLite's write lock on the daemon's store: commits wait, and fail once two seconds are over.
    ///
    /// The lock is byte 120 of the `-shm` file (https://www.sqlite.org/walformat.html, "WAL Locks").
    func holdStore() async throws -> HeldStore {
        let path = "\(self.dataFolder)/\(SQLiteStore.fileName)-shm"
        let file = try #require(FileHandle(forUpdatingAtPath: path), "\(path)")
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 120
        lock.l_len = 1
        // The store's own upkeep may have it for a moment.
        while fcntl(file.fileDescriptor, F_SETLK, &lock) != 0 {
            try #require(errno == EAGAIN || errno == EACCES)
            try await Task.sleep(for: .milliseconds(1))
        }
        return HeldStore(file: file)
    }
}

/// A store whose commits wait.
struct HeldStore {
    fileprivate let file: FileHandle

    /// Lets them go on.
    func release() throws {
        try self.file.close()
    }
}

/// A refused call, as far as a program looks at it.
struct Refusal: Equatable, CustomTestStringConvertible {
    var code: RollcallError.Code
    var reason: String?
    /// Bad fields, in alphabetical order.
    var fields: [String] = []
    /// Type without package, and name.
    var resource: String?

    init(_ code: RollcallError.Code, _ reason: String, fields: [String] = [], resource: String? = nil) {
        self.code = code
        self.reason = reason
        self.fields = fields
        self.resource = resource
    }

    init(_ error: RollcallError) {
        self.code = error.code
        self.reason = error.reason
        self.fields = error.violations.map(\.field).sorted()
        self.resource = error.resource.map { "\($0.type.replacing("rollcall.v1.", with: "")) \($0.name)" }
    }

    /// INVALID_ARGUMENT that names these fields.
    static func badFields(_ fields: [String], _ reason: String = "FIELD_INVALID") -> Refusal {
        Refusal(.invalidArgument, reason, fields: fields)
    }

    var testDescription: String {
        "\(self.code) \(self.reason ?? "-") \(self.fields) \(self.resource ?? "-")"
    }
}

/// Makes a call that is to be refused in this way, with a sentence.
func expect<Value>(
    _ refusal: Refusal, sourceLocation: SourceLocation = #_sourceLocation,
    isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> Value
) async throws {
    do {
        let value = try await call()
        Issue.record("\(value) where \(refusal.testDescription) was due", sourceLocation: sourceLocation)
    } catch let error as RollcallError {
        #expect(Refusal(error) == refusal, "\(error)", sourceLocation: sourceLocation)
        #expect(error.message.hasSuffix("."), "\(error)", sourceLocation: sourceLocation)
    }
}
