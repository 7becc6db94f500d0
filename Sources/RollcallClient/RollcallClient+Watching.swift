// Watching devices.

public import DeviceModel
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import TTRPC

extension RollcallClient {
    /// Watches the devices that match, for as long as `body` runs.
    ///
    /// First come the devices that match and a bookmark, or, with a bookmark of an earlier watch, nothing of that; then every
    /// change, in order. The timeout of the client does not hold for it: a watch lasts.
    ///
    /// - Parameters:
    ///   - filter: activity and the names of cohorts cannot be watched.
    ///   - bookmark: where to go on from: the last one of an earlier watch with the same filter, or one made of its store's id and
    ///     the last revision that it told.
    /// - Throws: ``RollcallError`` where the watch cannot begin, and what `body` throws.
    public func watchDevices<Result: Sendable>(
        _ filter: DeviceFilter = DeviceFilter(),
        view: DeviceView = .basic,
        from bookmark: Bookmark? = nil,
        _ body: @Sendable (DeviceEvents) async throws -> Result
    ) async throws -> Result {
        let request = Self.encoded {
            $0.watchDevicesRequest(project: self.project, filter: filter, view: view, from: bookmark)
        }
        let patient = self.with(timeout: nil)
        return try await patient.withStream(.devices("WatchDevices"), .bidirectional, ByteBuffer()) { stream in
            // Half-closing is how a watch is told to end.
            defer { stream.finish() }
            try await stream.send(request)
            return try await body(DeviceEvents(messages: stream.messages))
        }
    }
}

/// What a watch tells, as it comes. For one reader.
public struct DeviceEvents: AsyncSequence, Sendable {
    public typealias Element = DeviceEvent
    public typealias Failure = RollcallError

    let messages: ClientMessages

    /// The events from here on.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var messages: ClientMessages.AsyncIterator

        /// The next event; nil where the server has ended the watch well.
        ///
        /// - Throws: ``RollcallError`` where the watch has ended: UNAVAILABLE where the server goes away, RESOURCE_EXHAUSTED where
        ///   the reader was too slow for the changes. It goes on from the last revision that it told.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(RollcallError) -> DeviceEvent? {
            do throws(Status) {
                while let message = try await self.messages.next(isolation: actor) {
                    if let event = try Self.event(message) { return event }
                }
                return nil
            } catch {
                throw RollcallError(error, arena: .current)
            }
        }

        public mutating func next() async throws(RollcallError) -> DeviceEvent? {
            try await self.next(isolation: nil)
        }

        private static func event(_ message: ByteBuffer) throws(Status) -> DeviceEvent? {
            do {
                return try message.withUnsafeReadableBytes { bytes in
                    try Arena.current.decode(Messages.watchDevicesResponse, from: bytes) {
                        try DeviceEvent(from: UnsafePointer($0))
                    }
                }
            } catch {
                throw .defect("The server sent an event that cannot be read: \(error).")
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(messages: self.messages.makeAsyncIterator())
    }
}
