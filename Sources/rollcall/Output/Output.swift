// Where text goes: standard output and standard error, or a test's buffer.

internal import Glibc

/// Why text could not be written.
enum OutputError: Error, Hashable {
    /// The reader has gone away, which is no fault.
    case closed
    /// An errno value.
    case failed(Int32)
}

/// A place to write text to.
struct Output: Sendable {
    /// Whether a person reads it as it comes.
    let isTerminal: Bool
    /// Columns of the terminal; nil where there is no terminal, and so no reason to cut anything.
    let columnCount: Int?
    /// Rows of the terminal; nil where there is no terminal.
    let rowCount: Int?
    /// Whether it may be emphasised: a terminal, and neither `NO_COLOR` nor `TERM=dumb` in the environment.
    let isStyled: Bool
    /// Writes everything before it returns.
    let write: @Sendable (String) throws(OutputError) -> Void

    /// Standard output.
    static func standardOutput(environment: [String: String]) -> Output {
        Output(descriptor: STDOUT_FILENO, environment: environment)
    }

    /// Standard error.
    static func standardError(environment: [String: String]) -> Output {
        Output(descriptor: STDERR_FILENO, environment: environment)
    }

    private init(descriptor: Int32, environment: [String: String]) {
        self.isTerminal = isatty(descriptor) == 1
        var size = winsize()
        if self.isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            self.columnCount = Int(size.ws_col)
            self.rowCount = size.ws_row > 0 ? Int(size.ws_row) : nil
        } else {
            self.columnCount = nil
            self.rowCount = nil
        }
        self.isStyled =
            self.isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        self.write = { text throws(OutputError) in
            try Self.write(Array(text.utf8)[...], to: descriptor)
        }
    }

    init(
        columnCount: Int? = nil,
        isTerminal: Bool = false,
        isStyled: Bool = false,
        write: @escaping @Sendable (String) throws(OutputError) -> Void
    ) {
        self.isTerminal = isTerminal
        self.columnCount = columnCount
        self.rowCount = nil
        self.isStyled = isStyled
        self.write = write
    }

    /// Writes all of `bytes` to a descriptor.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(OutputError) {
        var bytes = bytes
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                bytes.removeFirst(count)
                continue
            }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                // Someone made the descriptor non-blocking; it is shared with them, so it stays so.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            case EPIPE:
                throw .closed
            case let error:
                throw .failed(error)
            }
        }
    }
}
