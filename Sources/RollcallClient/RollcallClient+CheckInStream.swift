// Check-ins at a high rate, over one call.

public import DeviceModel
internal import CRollcallProto
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import StatusWire

extension RollcallClient {
    /// A check-in, as ``checkIn(_:time:release:hardwareVersion:attributes:createMissing:)`` takes it.
    public struct CheckIn: Sendable {
        public var serial: String
        /// When the device was seen; nil for now.
        public var time: Timestamp?
        /// What runs on it; nil for not reported.
        public var release: (version: String, revision: String)?
        /// Used and required only where the check-in registers the device.
        public var hardwareVersion: String?
        /// Values to write; one without a time takes the check-in's.
        public var attributes: [AttributeUpdate]
        /// Registers an unknown device, with an empty owner.
        public var createMissing: Bool

        public init(
            _ serial: String, time: Timestamp? = nil, release: (version: String, revision: String)? = nil,
            hardwareVersion: String? = nil, attributes: [AttributeUpdate] = [], createMissing: Bool = false
        ) {
            self.serial = serial
            self.time = time
            self.release = release
            self.hardwareVersion = hardwareVersion
            self.attributes = attributes
            self.createMissing = createMissing
        }
    }

    /// What became of a check-in of a stream.
    public struct CheckInAcknowledgement: Hashable, Sendable {
        /// Which one it was, counted from 1.
        public var position: Int64
        /// The device after it, or why it was refused.
        public var result: Result<Device, RollcallError>

        public init(position: Int64, result: Result<Device, RollcallError>) {
            self.position = position
            self.result = result
        }
    }

    /// Sends check-ins as they come and hands on an acknowledgement of each, in the same order.
    ///
    /// One that is refused is acknowledged so, and the others go on. Returns when all are acknowledged. Where the call
    /// fails before that, the check-ins without an acknowledgement may have taken place; those with a time may be
    /// repeated without harm. ``timeout`` bounds the whole of it: make a stream that lasts with a client without one.
    ///
    /// ```swift
    /// try await client.with(timeout: nil).checkIn(reports) { acknowledgement in
    ///     if case .failure(let error) = acknowledgement.result { … }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - checkIns: Any number; the next one is asked for once there is room for it on the way to the server.
    ///   - acknowledged: Called with one acknowledgement after the other.
    /// - Throws: ``RollcallError`` of the call, or what `checkIns` or `acknowledged` throws, which ends the call.
    public func checkIn<CheckIns: AsyncSequence & Sendable>(
        _ checkIns: CheckIns,
        acknowledged: @escaping @Sendable (CheckInAcknowledgement) async throws -> Void
    ) async throws where CheckIns.Element == CheckIn {
        try await self.stream(
            .devices("CheckInStream"), .bidirectional,
            send: { send in
                for try await checkIn in checkIns {
                    try await send(
                        Self.encoded {
                            $0.checkInRequest(
                                project: self.project,
                                serial: checkIn.serial,
                                time: checkIn.time,
                                release: checkIn.release,
                                hardwareVersion: checkIn.hardwareVersion,
                                attributes: checkIn.attributes,
                                createMissing: checkIn.createMissing
                            )
                        })
                }
            },
            receive: { message in
                try await acknowledged(try Self.acknowledgement(message))
            }
        )
    }

    private static func acknowledgement(_ message: ByteBuffer) throws(RollcallError) -> CheckInAcknowledgement {
        do {
            let arena = Arena.current
            return try message.withUnsafeReadableBytes { bytes in
                try arena.decode(Messages.checkInStreamResponse, from: bytes) { message in
                    let result: Result<Device, RollcallError>
                    if let status = message.pointee.status?.pointee, status.code != 0 {
                        result = .failure(RollcallError(Status(status, arena), arena: arena))
                    } else if let device = message.pointee.device {
                        result = .success(try Device(from: device))
                    } else {
                        throw WireValueError("device", "is missing")
                    }
                    return CheckInAcknowledgement(position: message.pointee.position, result: result)
                }
            }
        } catch {
            throw .badReply("\(error)")
        }
    }
}
