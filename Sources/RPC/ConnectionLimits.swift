// What one connection may take of the server; the numbers come from whoever assembles it.

/// The bounds that a transport enforces where bytes enter and leave.
package struct ConnectionLimits: Hashable, Sendable {
    /// The longest message in either direction, in bytes.
    package var messageByteCountMax: Int
    /// Calls that one connection may have open at once.
    package var callCountMax: Int
    /// Output that waits for a slow reader, in bytes.
    package var queuedOutputByteCountMax: Int
    /// Stream input that no method has read yet, in bytes; beyond it the connection is not read.
    package var undeliveredInputByteCountMax: Int
    /// Messages that have come in only in part, in bytes, on all streams together.
    package var partialInputByteCountMax: Int
    /// How long an event loop may spend in one turn on calls that can go on elsewhere, in nanoseconds.
    package var loopTurnNanosecondsMax: Int64 = 4_000_000

    package init(
        messageByteCountMax: Int,
        callCountMax: Int,
        queuedOutputByteCountMax: Int,
        undeliveredInputByteCountMax: Int,
        partialInputByteCountMax: Int
    ) {
        self.messageByteCountMax = messageByteCountMax
        self.callCountMax = callCountMax
        self.queuedOutputByteCountMax = queuedOutputByteCountMax
        self.undeliveredInputByteCountMax = undeliveredInputByteCountMax
        self.partialInputByteCountMax = partialInputByteCountMax
    }
}
