import Foundation
import Glibc
import RollcallTesting
import Testing

/// The program itself: what a shell sees of it.
@Suite struct ProcessTests {
    private func run(_ words: [String], _ environment: [String: String] = [:]) async throws -> ProcessOutput {
        try await ChildProcess.run("rollcall", words, environment: environment)
    }

    @Test func unreachableServerIsExitCode3() async throws {
        let output = try await self.run(["get", "A", "--address", "/tmp/rc-none.sock"])
        #expect(output.end == .exit(3))
        #expect(output.standardOutput.isEmpty)
        let words = "rollcall: Cannot reach the Rollcall server. /tmp/rc-none.sock: there is no socket"
        #expect(output.standardError.hasPrefix(words))
    }

    @Test func errorIsJSONForWhoeverAskedForIt() async throws {
        let output = try await self.run(["get", "A", "--address", "/tmp/rc-none.sock", "--output", "json"])
        #expect(output.end == .exit(3))
        #expect(output.standardOutput.isEmpty)
        let json = #"{"error": {"code": "UNAVAILABLE", "http_code": 503, "message": "Cannot"#
        #expect(output.standardError.hasPrefix(json))
        #expect(output.standardError.hasSuffix("\"type\": \"SERVER_UNREACHABLE\"}}\n"))
    }

    @Test func addressComesFromTheEnvironmentToo() async throws {
        let output = try await self.run(["get", "A"], ["ROLLCALL_ADDRESS": "unix:///tmp/rc-other.sock"])
        #expect(output.end == .exit(3))
        #expect(output.standardError.contains("/tmp/rc-other.sock: there is no socket"))
        #expect(try await self.run(["get", "A"], ["ROLLCALL_ADDRESS": "http://host"]).end == .exit(2))
    }

    @Test func wrongUsageIsExitCode2OnStandardError() async throws {
        for words in [["lsit"], ["get"], ["list", "--nothing"]] {
            let output = try await self.run(words)
            #expect(output.end == .exit(2))
            #expect(output.standardOutput.isEmpty)
            #expect(output.standardError.hasPrefix("Error: "))
        }
    }

    @Test func purgeNeedsAFilterAndSomeoneToAsk() async throws {
        let pathless = ["--address", "/tmp/rc-none.sock"]
        let everything = try await self.run(["purge", "--yes"] + pathless)
        #expect(everything.end == .exit(2))
        #expect(everything.standardError.contains("--filter 'id > 0' is all of them"))
        // Tests have no terminal.
        let unasked = try await self.run(["purge", "--cohort", "old"] + pathless)
        #expect(unasked.end == .exit(2))
        #expect(unasked.standardError.contains("give --yes"))
        for flag in ["--yes", "--validate-only"] {
            #expect(try await self.run(["purge", "--cohort", "old", flag] + pathless).end == .exit(3))
        }
    }

    @Test func helpAndVersionAreData() async throws {
        for words in [["--help"], ["--version"], ["help", "list"], ["project", "list", "--help"], []] {
            let output = try await self.run(words)
            #expect(output.end == .exit(0))
            #expect(!output.standardOutput.isEmpty)
            #expect(output.standardError.isEmpty)
        }
    }

    @Test func closedPipeIsNoError() async throws {
        // Waits until nobody reads any more.
        let isClosed = "(trap '' PIPE; while printf x; do :; done) 2> /dev/null"
        let script = "{ \(isClosed); \"$0\" --help; echo \"exit $?\" >&2; } | :"
        let output = try await ChildProcess.run("/bin/sh", ["-c", script, ChildProcess.path(of: "rollcall")])
        #expect(output.standardError == "exit 0\n")
    }

    @Test func silentServerIsExitCode4WhenTheTimeIsOver() async throws {
        let server = try SilentServer()
        let output = try await self.run(["server", "info", "--address", server.path, "--timeout", "0.1"])
        #expect(output.end == .exit(4))
        server.close()
    }

    @Test func interruptIsExitCode130() async throws {
        let server = try SilentServer()
        let words = ["server", "info", "--address", server.path, "--timeout", "\(patience.components.seconds)"]
        try await ChildProcess.with("rollcall", words) { child in
            // Once it has connected, it waits for an answer.
            await server.accept()
            child.signal(SIGINT)
            #expect(await child.end() == .exit(130))
        }
        server.close()
    }
}

/// Accepts a connection and says nothing.
private final class SilentServer: Sendable {
    let path: String
    private let folder: TemporaryFolder
    private let descriptor: Int32

    init() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("r.sock")
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isBound)
        try #require(listen(descriptor, 8) == 0)
        (self.folder, self.path, self.descriptor) = (folder, path, descriptor)
    }

    /// Waits on a thread that no task needs.
    func accept() async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "silent server").async {
                _ = Glibc.accept(self.descriptor, nil, nil)
                continuation.resume()
            }
        }
    }

    func close() {
        _ = Glibc.close(self.descriptor)
    }
}
