// Devices by the million: out as a sequence, in as one.

internal import CRollcallProto
public import DeviceModel
internal import DeviceWire
package import NIOCore
internal import ProtobufC
internal import RPC
internal import StatusWire
internal import Synchronization

extension RollcallClient {
    /// Every device that matches by id, each as it is when its turn comes.
    ///
    /// A device that matches from beginning to end comes exactly once. The server sends as fast as devices are taken, and
    /// a reader that stops holds up other calls of the connection: give a long export a client of its own. The client's
    /// ``timeout`` bounds the whole of it.
    public func exportDevices(
        _ filter: DeviceFilter = DeviceFilter(), view: DeviceView = .full
    ) -> DeviceExport {
        DeviceExport(client: self, filter: filter, view: view)
    }

    /// The encoded request of an export.
    package func exportRequest(_ filter: DeviceFilter, view: DeviceView) -> ByteBuffer {
        Self.encoded { $0.exportDevicesRequest(project: self.project, filter: filter, view: view) }
    }

    /// Imports devices, each of which succeeds or fails alone, in their order.
    ///
    /// Items are asked for as the server deals with those before: never more than a few thousand are on their way. Give a
    /// long import a client of its own; the client's ``timeout`` bounds the whole of it.
    ///
    /// - Parameters:
    ///   - items: The devices; an error that it throws ends the import, and what was sent may be stored.
    ///   - validateOnly: Checks each item against what is stored, and stores nothing.
    ///   - progress: Told after each transaction how far the import has come, and of the items that failed.
    /// - Returns: How it ended, with the first 1,000 failures.
    /// - Throws: ``RollcallError`` of the call, or what `items` or `progress` throws.
    @discardableResult
    public func importDevices<Items: AsyncSequence & Sendable>(
        _ items: Items,
        mode: ImportMode = .create,
        validateOnly: Bool = false,
        progress: @escaping @Sendable (ImportProgress) async throws -> Void = { _ in }
    ) async throws -> ImportProgress where Items.Element == ImportItem {
        let window = ImportWindow(countMax: Self.importWindowItemCount)
        let summary = Mutex(ImportProgress())
        try await self.stream(
            .devices("ImportDevices"), .bidirectional,
            send: { send in
                var batch = ImportBatch(project: self.project, mode: mode, validateOnly: validateOnly)
                for try await item in items {
                    batch.append(item)
                    guard batch.isFull else { continue }
                    try await window.send(batch.itemCount)
                    try await send(batch.take())
                }
                try await window.send(batch.itemCount)
                try await send(batch.take())
            },
            receive: { message in
                let (news, isSummary) = try ImportProgress.decode(message)
                window.accepted(through: news.acceptedThrough)
                guard !isSummary else { return summary.withLock { $0 = news } }
                try await progress(news)
            }
        )
        return summary.withLock { $0 }
    }

    /// Items that may be on their way; the server has four thousand of them in hand at most.
    private static let importWindowItemCount: Int64 = 8_000
}

/// Items on their way into a message.
private struct ImportBatch {
    private var buffer: ByteBuffer
    private(set) var itemCount = 0

    private static let itemCountMax = 1_000
    private static let byteCountMax = 256 << 10

    init(project: String, mode: ImportMode, validateOnly: Bool) {
        self.buffer = RollcallClient.encoded {
            $0.importDevicesRequest(project: project, mode: mode, validateOnly: validateOnly)
        }
    }

    var isFull: Bool {
        self.itemCount >= Self.itemCountMax || self.buffer.readableBytes >= Self.byteCountMax
    }

    /// An encoded message is its encoded fields in a row, so items are added one at a time.
    mutating func append(_ item: ImportItem) {
        self.itemCount += 1
        Arena.current.scope { self.buffer.append($0.importDevicesRequest(item: item)) }
    }

    mutating func take() -> ByteBuffer {
        defer {
            self.buffer = ByteBuffer()
            self.itemCount = 0
        }
        return self.buffer
    }
}

extension ImportProgress {
    /// - Returns: What the message says, and whether it is the import's last one.
    /// - Throws: ``RollcallError`` INTERNAL where the bytes are no such message.
    fileprivate static func decode(_ message: ByteBuffer) throws(RollcallError) -> (Self, isSummary: Bool) {
        do {
            return try message.withUnsafeReadableBytes { bytes in
                try Arena.current.decode(Messages.importDevicesResponse, from: bytes) { message in
                    var progress = Self()
                    progress.acceptedThrough = message.pointee.accepted_through
                    progress.createdCount = message.pointee.created
                    progress.updatedCount = message.pointee.updated
                    progress.failedCount = message.pointee.failed
                    for index in 0..<message.pointee.n_failures {
                        guard let failure = message.pointee.failures[index]?.pointee, let status = failure.status else {
                            continue
                        }
                        let error = RollcallError(Status(status.pointee, .current), arena: .current)
                        progress.failures.append(Failure(position: failure.position, error: error))
                    }
                    return (progress, message.pointee.done != 0)
                }
            }
        } catch {
            throw .badReply("\(error)")
        }
    }
}
