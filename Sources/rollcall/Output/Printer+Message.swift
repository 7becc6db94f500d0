// Messages of any type, as they are.

internal import JSONText

extension Printer {
    /// Writes a message; one of a stream on a line of its own.
    func message(_ message: JSON, isOfStream: Bool) throws(OutputError) {
        let isIndented = self.data.isTerminal && !isOfStream && self.format != .ndjson
        try self.data.write(message.text(isIndented ? .indented : .line) + "\n")
    }
}
