import Foundation
import Glibc
import Testing

/// The program itself: what a shell sees of it.
@Suite struct ProcessTests {
    @Test func unreachableServerIsExitCode3() throws {
        let result = try run(["get", "A", "--address", "/tmp/rc-none.sock"])
        #expect(result.exitCode == 3)
        #expect(result.data.isEmpty)
        #expect(
            result.words.hasPrefix("rollcall: Cannot reach the Rollcall server. /tmp/rc-none.sock: there is no socket"))
    }

    @Test func errorIsJSONForWhoeverAskedForIt() throws {
        let result = try run(["get", "A", "--address", "/tmp/rc-none.sock", "--output", "json"])
        #expect(result.exitCode == 3)
        #expect(result.data.isEmpty)
        #expect(result.words.hasPrefix(#"{"error": {"code": "UNAVAILABLE", "http_code": 503, "message": "Cannot"#))
        #expect(result.words.hasSuffix("\"type\": \"SERVER_UNREACHABLE\"}}\n"))
    }

    @Test func addressComesFromTheEnvironmentToo() throws {
        let result = try run(["get", "A"], ["ROLLCALL_ADDRESS": "unix:///tmp/rc-other.sock"])
        #expect(result.exitCode == 3)
        #expect(result.words.contains("/tmp/rc-other.sock: there is no socket"))
        #expect(try run(["get", "A"], ["ROLLCALL_ADDRESS": "http://host"]).exitCode == 2)
    }

    @Test func wrongUsageIsExitCode2OnStandardError() throws {
        for words in [["lsit"], ["get"], ["list", "--nothing"]] {
            let result = try run(words)
            #expect(result.exitCode == 2)
            #expect(result.data.isEmpty)
            #expect(result.words.hasPrefix("Error: "))
        }
    }

    @Test func helpAndVersionAreData() throws {
        for words in [["--help"], ["--version"], ["help", "list"], ["project", "list", "--help"], []] {
            let result = try run(words)
            #expect(result.exitCode == 0)
            #expect(!result.data.isEmpty)
            #expect(result.words.isEmpty)
        }
    }

    @Test func closedPipeIsNoError() throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let process = try start(["--help"], output: pipe)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
    }

    @Test func silentServerIsExitCode4WhenTheTimeIsOver() throws {
        let server = try SilentServer()
        defer { server.close() }
        let result = try run(["server", "info", "--address", server.path, "--timeout", "0.1"])
        #expect(result.exitCode == 4)
    }

    @Test func interruptIsExitCode130() throws {
        let server = try SilentServer()
        defer { server.close() }
        let process = try start(["server", "info", "--address", server.path], output: Pipe())
        // Once it has connected, it waits for an answer.
        server.accept()
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 130)
    }
}

/// Accepts a connection and says nothing.
private struct SilentServer {
    let path: String
    private let descriptor: Int32

    init() throws {
        self.path = "/tmp/rc-\(UUID().uuidString.prefix(13)).sock"
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(self.descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: self.path.utf8) }
        let descriptor = self.descriptor
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isBound)
        try #require(listen(self.descriptor, 8) == 0)
    }

    func accept() {
        _ = Glibc.accept(self.descriptor, nil, nil)
    }

    func close() {
        _ = Glibc.close(self.descriptor)
        unlink(self.path)
    }
}

private struct Outcome {
    let exitCode: Int32
    let data: String
    let words: String
}

/// Runs the program that was built beside these tests, with nothing of this process's environment but the path.
private func run(_ words: [String], _ environment: [String: String] = [:]) throws -> Outcome {
    let (data, errors) = (Pipe(), Pipe())
    let process = try start(words, environment, output: data, errors: errors)
    // What it prints is far less than a pipe holds, so one may be read after the other.
    let printed = data.fileHandleForReading.readDataToEndOfFile()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
        exitCode: process.terminationReason == .exit ? process.terminationStatus : -1,
        data: String(decoding: printed, as: UTF8.self),
        words: String(decoding: said, as: UTF8.self)
    )
}

private func start(
    _ words: [String], _ environment: [String: String] = [:], output: Pipe, errors: Pipe = Pipe()
) throws -> Process {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("rollcall")
    process.arguments = words
    process.environment = environment
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return process
}
