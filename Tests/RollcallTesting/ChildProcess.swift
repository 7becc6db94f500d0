// A program as an operator runs it: started, watched, ended by its number.

internal import Foundation
internal import Synchronization

/// How a process ended.
package enum ProcessEnd: Hashable, Sendable {
    case exit(Int32)
    case signal(Int32)
}

/// What a process that ran to its end left behind.
package struct ProcessOutput: Hashable, Sendable {
    package var end: ProcessEnd
    package var standardOutput: String
    package var standardError: String
}

/// One run of a program, as a rule one that was built beside the tests.
///
/// Its input and output are files, so that neither side ever waits for the other.
///
/// ## Concurrency
/// `Process` is asked for nothing but the number that it had when it started, and signalled by it, from any task.
package final class ChildProcess: Sendable {
    package let processID: Int32
    private let folder: TemporaryFolder
    private let ending: Ending

    /// Wakes whoever waits for the end, however many and however late.
    private final class Ending: Sendable {
        private struct State {
            var end: ProcessEnd?
            var waiters: [CheckedContinuation<ProcessEnd, Never>] = []
        }

        private let state = Mutex(State())

        var end: ProcessEnd? {
            self.state.withLock { $0.end }
        }

        func came(_ end: ProcessEnd) {
            let waiters = self.state.withLock { state in
                state.end = end
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters {
                waiter.resume(returning: end)
            }
        }

        func wait() async -> ProcessEnd {
            await withCheckedContinuation { waiter in
                let end = self.state.withLock { state in
                    if state.end == nil {
                        state.waiters.append(waiter)
                    }
                    return state.end
                }
                if let end {
                    waiter.resume(returning: end)
                }
            }
        }
    }

    /// Where programs are found, that the backtracer, which can hang, is off, and what tells a sanitizer what to do.
    private static let ownEnvironment = ProcessInfo.processInfo.environment
        .filter { ["ASAN_OPTIONS", "LD_PRELOAD", "TSAN_OPTIONS"].contains($0.key) }
        .merging(["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]) { $1 }

    /// Starts `program`, which lies beside the tests unless it is a path.
    ///
    /// - Parameters:
    ///   - environment: all that the process sees of it but ``ownEnvironment``.
    ///   - input: what it reads on standard input.
    private init(
        _ program: String, _ arguments: [String], environment: [String: String], input: String
    ) throws {
        let folder = try TemporaryFolder()
        let ending = Ending()
        let process = Process()
        process.executableURL = URL(filePath: Self.path(of: program))
        process.arguments = arguments
        process.environment = Self.ownEnvironment.merging(environment) { $1 }
        process.standardInput = try Self.input(input, at: folder.path("in"))
        process.standardOutput = try Self.file(folder.path("out"))
        process.standardError = try Self.file(folder.path("err"))
        process.terminationHandler = { process in
            let status = process.terminationStatus
            ending.came(process.terminationReason == .exit ? .exit(status) : .signal(status))
        }
        try process.run()
        self.processID = process.processIdentifier
        self.folder = folder
        self.ending = ending
    }

    /// Runs a program while `body` does, and kills it where it still runs after that, whatever became of `body`.
    package static func with<Result>(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = "",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ChildProcess) async throws -> Result
    ) async throws -> Result {
        let child = try ChildProcess(program, arguments, environment: environment, input: input)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(child))
        } catch {
            outcome = .failure(error)
        }
        child.signal(SIGKILL)
        _ = await child.end()
        return try outcome.get()
    }

    /// Runs a program to its end.
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) async throws -> ProcessOutput {
        try await self.with(program, arguments, environment: environment, input: input) { child in
            let end = await child.end()
            return ProcessOutput(
                end: end, standardOutput: child.standardOutput, standardError: child.standardError
            )
        }
    }

    /// Waits until the process has ended.
    package func end() async -> ProcessEnd {
        await self.ending.wait()
    }

    package var isRunning: Bool {
        self.ending.end == nil
    }

    /// Sends a signal to the process, if it still is one.
    package func signal(_ number: Int32) {
        guard self.isRunning else {
            return
        }
        kill(self.processID, number)
    }

    /// What it has written so far.
    package var standardOutput: String {
        Self.text(self.folder.path("out"))
    }

    /// What it has complained of so far.
    package var standardError: String {
        Self.text(self.folder.path("err"))
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    private static func input(_ text: String, at path: String) throws -> FileHandle {
        guard !text.isEmpty else {
            return FileHandle.nullDevice
        }
        try Data(text.utf8).write(to: URL(filePath: path))
        return try FileHandle(forReadingFrom: URL(filePath: path))
    }

    private static func file(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(filePath: path))
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    /// Where a program of this package lies; a path stays as it is.
    package static func path(of program: String) -> String {
        guard !program.contains("/") else {
            return program
        }
        // The test runner is the package's own test executable, which lies where the products lie.
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: runner).deletingLastPathComponent().appending(component: program).path
    }
}

extension ChildProcess {
    /// The memory that it has in RAM; 0 under a sanitizer, which keeps what is freed and much of its own.
    package func residentByteCount() throws -> Int {
        guard ProcessInfo.processInfo.environment["ROLLCALL_SANITIZER"] == nil else { return 0 }
        let status = try String(contentsOfFile: "/proc/\(self.processID)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return kibibytes << 10
    }
}
