// Streaming calls of the client, each within a closure: when it returns, the call is over.

package import NIOCore
package import RPC

/// A streaming call in progress.
package struct ClientStream: Sendable {
    private let client: TTRPCClient
    private let call: ClientCall

    init(_ client: TTRPCClient, _ call: ClientCall) {
        self.client = client
        self.call = call
    }

    /// Sends a message, waiting while the connection's output is full.
    ///
    /// - Throws: the status of the call if that is over, or CANCELLED.
    package func send(_ message: ByteBuffer) async throws(Status) {
        try await self.client.send(message, on: self.call)
    }

    /// Half-closes the stream: no message follows.
    package func finish() {
        self.client.halfClose(self.call)
    }

    /// The server's messages; ends with the call, and fails with its status where that is not OK. For one reader.
    package var messages: ClientMessages {
        ClientMessages(queue: self.call.replies)
    }
}

/// What a server sends on a streaming call.
package struct ClientMessages: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    package typealias Failure = Status

    fileprivate let queue: MessageQueue

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let queue: MessageQueue

        package mutating func next() async throws(Status) -> ByteBuffer? {
            try await self.queue.next()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(Status) -> ByteBuffer? {
            try await self.queue.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(queue: self.queue)
    }
}

/// A server-streaming call that lives as long as this object: for readers that come back when they like.
package final class OpenStream: Sendable {
    private let client: TTRPCClient
    private let call: ClientCall

    fileprivate init(_ client: TTRPCClient, _ call: ClientCall) {
        self.client = client
        self.call = call
    }

    deinit {
        self.client.abandon(self.call)
    }

    /// The server's next message; nil after the last.
    package func next() async throws(Status) -> ByteBuffer? {
        try await self.call.replies.next()
    }
}

extension TTRPCClient {
    /// Makes a server-streaming call that ends with the object that it returns.
    package func openServerStream(
        _ name: MethodName, _ request: ByteBuffer, deadline: NIODeadline? = nil
    ) throws(Status) -> OpenStream {
        OpenStream(
            self, try self.start(.stream(.server), name, request, deadline: deadline, metadata: Metadata()))
    }

    /// Makes a streaming call for as long as `body` runs.
    ///
    /// - Parameter request: the first message: the only one of a server stream; sent with the others only if it is not
    ///   empty, because ttrpc does not tell an empty one from none.
    /// - Throws: what `body` throws; ``Status`` where the call cannot be started.
    package nonisolated(nonsending) func withStream<Result>(
        _ name: MethodName,
        _ kind: StreamKind,
        _ request: ByteBuffer = ByteBuffer(),
        deadline: NIODeadline? = nil,
        metadata: Metadata = Metadata(),
        _ body: nonisolated(nonsending) (ClientStream) async throws -> Result
    ) async throws -> Result {
        let call = try self.start(.stream(kind), name, request, deadline: deadline, metadata: metadata)
        defer { self.abandon(call) }
        return try await body(ClientStream(self, call))
    }

    /// Makes a server-streaming call and hands its messages to `body`.
    package nonisolated(nonsending) func serverStream<Result>(
        _ name: MethodName,
        _ request: ByteBuffer,
        deadline: NIODeadline? = nil,
        metadata: Metadata = Metadata(),
        _ body: nonisolated(nonsending) (ClientMessages) async throws -> Result
    ) async throws -> Result {
        try await self.withStream(name, .server, request, deadline: deadline, metadata: metadata) { stream in
            try await body(stream.messages)
        }
    }

    /// Makes a client-streaming call with `messages` and returns its reply.
    package nonisolated(nonsending) func clientStream<Messages: AsyncSequence>(
        _ name: MethodName,
        _ messages: Messages,
        deadline: NIODeadline? = nil,
        metadata: Metadata = Metadata()
    ) async throws -> ByteBuffer where Messages.Element == ByteBuffer {
        let call = try self.start(.stream(.client), name, ByteBuffer(), deadline: deadline, metadata: metadata)
        defer { self.abandon(call) }
        for try await message in messages {
            try await self.send(message, on: call)
        }
        self.halfClose(call)
        return try await self.reply(of: call)
    }
}
