// A place for a test's files, with a path short enough for a socket.

internal import Foundation

/// A folder of its own, directly below `/tmp`, which is gone after the test.
package final class TemporaryFolder: Sendable {
    /// At most 20 bytes.
    package let path: String

    package init() throws {
        let path = "/tmp/rc-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700]
        )
        self.path = path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The path of a file or folder in here.
    package func path(_ name: String) -> String {
        "\(self.path)/\(name)"
    }
}
