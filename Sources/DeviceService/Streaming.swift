// What the methods that take a stream and answer it part by part have in common.

internal import NIOCore
internal import ProtobufC
internal import RPC
internal import StatusWire

extension DeviceService {
    /// Answers a stream on one side while it is read on the other. A drain ends the reading where it stands: what was received is
    /// still answered.
    ///
    /// - Parameters:
    ///   - read: Reads `requests` to their end.
    ///   - close: Lets go of both sides; called however the call ends, and more than once.
    ///   - answer: Answers what was read.
    func answering(
        _ requests: RequestMessages,
        read: @escaping @Sendable () async -> Void,
        close: @escaping @Sendable () -> Void,
        _ answer: () async throws -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await self.drain.raised()
                    requests.end(with: .draining)
                }
                group.addTask { await read() }
                defer {
                    close()
                    group.cancelAll()
                }
                try await answer()
            }
        } onCancel: {
            close()
        }
    }
}

extension DeviceService {
    /// The one message of a server stream's caller.
    func onlyMessage(of requests: RequestMessages) async throws -> ByteBuffer {
        var iterator = requests.makeAsyncIterator()
        return try await iterator.next() ?? ByteBuffer()
    }

    /// Runs what streams for as long as it takes, but ends it when a drain begins.
    ///
    /// - Throws: what `body` throws; UNAVAILABLE where a drain came first.
    func untilDrained(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.drain.raised()
                try Task.checkCancellation()
                throw Status.draining
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

extension WireWriter {
    /// A refusal of one part of a stream is cut to so many bytes, so that those that fail take not much more than those that
    /// succeed.
    private static let statusByteCountMax = 16 << 10

    /// Writes the fields of a refused part: its position under 1, and why under 2.
    init(refusalAt position: Int64, _ status: Status) {
        self.init()
        self.append(1, varint: UInt64(position))
        self.append(2, bytes: status.packed(.current, byteCountMax: Self.statusByteCountMax))
    }
}
