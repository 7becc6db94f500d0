// What names a call on its connection, and what other threads tell the connection about it.

package import NIOCore

/// A call's number on its connection, chosen by the client.
package struct StreamID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Whether it is odd, as every number chosen by a client is.
    package var isClientInitiated: Bool {
        self.rawValue & 1 == 1
    }

    package var description: String {
        "\(self.rawValue)"
    }
}

/// Names one call for as long as the connection lives, even where a client uses a stream id again.
package struct CallKey: Hashable, Sendable {
    package let streamID: StreamID
    /// Counts the calls of the connection.
    package let sequence: UInt64

    package init(streamID: StreamID, sequence: UInt64) {
        self.streamID = streamID
        self.sequence = sequence
    }
}

/// What reaches a server connection's event loop from elsewhere.
package enum ServerItem: Sendable {
    /// A deferred call has its outcome.
    case replied(CallKey, Result<Reply, Status>)
    /// A stream begins its answer with metadata.
    case head(CallKey, Metadata)
    /// A stream sends a message.
    case message(CallKey, ByteBuffer)
    /// A stream's method is through.
    case streamEnded(CallKey, StreamOutcome)
    case deadlinePassed(CallKey)
    /// Enough stream input was taken for reading to go on: of the call, or of the whole connection.
    case inputConsumed(CallKey?)
    /// All connections together have too much that waits for their peers, and this one is to end for it.
    case overdrawn
    case drainStarted
}

/// How a stream's method ended.
package enum StreamOutcome: Sendable {
    /// Well; its messages have been sent.
    case closed(trailers: Metadata)
    /// Well, with the one message of a client-streaming method.
    case reply(ByteBuffer, trailers: Metadata)
    case failed(Status)
}
