// The real daemon on a private socket and data folder.

internal import Foundation

/// A `rollcalld` that answers on its socket, for as long as a test needs it.
package struct DaemonProcess: Sendable {
    /// What kept a daemon from answering.
    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    package let child: ChildProcess
    package let socketPath: String
    package let dataFolder: String

    /// Starts a daemon in `folder`, runs `body` once it accepts connections, and ends it after that.
    package static func with<Result>(
        in folder: TemporaryFolder,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        isolation: isolated (any Actor)? = #isolation,
        _ body: (DaemonProcess) async throws -> Result
    ) async throws -> Result {
        let socketPath = folder.path("r.sock")
        let dataFolder = folder.path("data")
        let all = ["--socket", socketPath, "--data", dataFolder] + arguments
        return try await ChildProcess.with("rollcalld", all, environment: environment) { child in
            let daemon = DaemonProcess(child: child, socketPath: socketPath, dataFolder: dataFolder)
            try await daemon.isAnswering()
            return try await body(daemon)
        }
    }

    /// Asks for a drain and waits until it is over.
    package func stop() async -> ProcessEnd {
        self.child.signal(SIGTERM)
        return await self.child.end()
    }

    /// Connects again and again: another process tells in no other way that it is ready.
    private func isAnswering() async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            if let connection = RawConnection(self.socketPath) {
                connection.close()
                return
            }
            guard self.child.isRunning, ContinuousClock.now < deadline else {
                throw StartFailure(description: "The daemon does not answer: \(self.child.standardError)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
