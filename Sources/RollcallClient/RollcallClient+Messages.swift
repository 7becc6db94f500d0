// Calls of any method by its name, whose messages the client does not look into.

package import NIOCore
internal import ProtobufC
package import RPC
internal import TTRPC

extension RollcallClient {
    /// Makes a unary call with an encoded message and returns the encoded reply.
    package func unary(_ method: MethodName, _ message: ByteBuffer) async throws(RollcallError) -> ByteBuffer {
        let deadline = self.deadline
        let connection = try await self.link.connection(deadline: deadline)
        do throws(Status) {
            return try await connection.unary(method, message, deadline: deadline)
        } catch {
            throw RollcallError(error, arena: .current)
        }
    }

    /// Makes a server-streaming call and hands each message to `receive` as it comes.
    ///
    /// - Throws: ``RollcallError`` of the call, or what `receive` throws, which ends the call.
    package func serverStream(
        _ method: MethodName, _ message: ByteBuffer, receive: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        try await self.withStream(method, .server, message) { stream in
            for try await message in stream.messages {
                try await receive(message)
            }
        }
    }

    /// Makes a call into which messages are streamed while its replies, or its one reply, come.
    ///
    /// - Parameters:
    ///   - kind: `client` or `bidirectional`.
    ///   - send: Sends any number of messages through its argument; it is cancelled when the call ends before it does.
    ///   - receive: Takes each message of the server.
    /// - Throws: ``RollcallError`` of the call, or what `send` or `receive` throws, which ends the call.
    package func stream(
        _ method: MethodName,
        _ kind: StreamKind,
        send: @escaping @Sendable (_ send: @escaping @Sendable (ByteBuffer) async throws -> Void) async throws -> Void,
        receive: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        try await self.withStream(method, kind, ByteBuffer()) { stream in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await send { try await stream.send($0) }
                    stream.finish()
                    return false
                }
                group.addTask {
                    for try await message in stream.messages {
                        try await receive(message)
                    }
                    return true
                }
                // The call is over with its last reply, whatever is left to send.
                while let isOver = try await group.next(), !isOver {}
                group.cancelAll()
            }
        }
    }

    /// Makes a streaming call for as long as `body` runs.
    func withStream<Result: Sendable>(
        _ method: MethodName, _ kind: StreamKind, _ first: ByteBuffer,
        _ body: @Sendable (ClientStream) async throws -> Result
    ) async throws -> Result {
        let deadline = self.deadline
        let connection = try await self.link.connection(deadline: deadline)
        do {
            return try await connection.withStream(method, kind, first, deadline: deadline) { stream in
                try await body(stream)
            }
        } catch let status as Status {
            throw RollcallError(status, arena: .current)
        }
    }
}
