// Why the daemon does not start, or stops before it was told to.

/// A sentence for whoever started the daemon, and the status that its process ends with.
package struct DaemonError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Int32, Hashable, Sendable {
        /// The socket or the store cannot be had.
        case start = 1
        /// A flag, a variable or the configuration file says something that cannot be meant.
        case configuration = 2
    }

    package var code: Code
    /// A sentence that names the file or the setting and says what would be right.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String {
        self.message
    }
}
