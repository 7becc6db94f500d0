// Every device that matches, as the server streams them.

public import DeviceModel
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import TTRPC

/// The devices of one export. Each iterator makes a call of its own, which ends with it.
public struct DeviceExport: AsyncSequence, Sendable {
    public typealias Element = Device
    public typealias Failure = RollcallError

    let client: RollcallClient
    let filter: DeviceFilter
    let view: DeviceView

    /// One export under way.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let export: DeviceExport
        /// Nil before the first device is asked for.
        private var call: OpenStream?
        private var devices = [Device]().makeIterator()

        fileprivate init(_ export: DeviceExport) {
            self.export = export
        }

        /// The next device, or nil after the last.
        ///
        /// - Throws: ``RollcallError`` of the call, which is over then.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(RollcallError) -> Device? {
            while true {
                if let device = self.devices.next() { return device }
                let call = if let call = self.call { call } else { try await self.export.begin() }
                self.call = call
                let message: ByteBuffer?
                do throws(Status) {
                    message = try await call.next()
                } catch {
                    throw RollcallError(error, arena: .current)
                }
                guard let message else { return nil }
                self.devices = try Self.devices(of: message).makeIterator()
            }
        }

        public mutating func next() async throws(RollcallError) -> Device? {
            try await self.next(isolation: nil)
        }

        private static func devices(of message: ByteBuffer) throws(RollcallError) -> [Device] {
            do {
                return try message.withUnsafeReadableBytes { bytes in
                    try Arena.current.decode(Messages.exportDevicesResponse, from: bytes) {
                        try [Device](from: UnsafePointer($0))
                    }
                }
            } catch {
                throw .badReply("\(error)")
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }

    private func begin() async throws(RollcallError) -> OpenStream {
        let deadline = self.client.deadline
        let connection = try await self.client.link.connection(deadline: deadline)
        let request = self.client.exportRequest(self.filter, view: self.view)
        do throws(Status) {
            return try connection.openServerStream(.devices("ExportDevices"), request, deadline: deadline)
        } catch {
            throw RollcallError(error, arena: .current)
        }
    }
}
