import CRollcallProto
import ProtobufC

extension Arena {
    /// Decodes an array, which most tests have at hand.
    func decode<Message, R>(
        _ type: MessageType<Message>, from bytes: [UInt8], _ body: (UnsafeMutablePointer<Message>) throws -> R
    ) throws -> R {
        try bytes.withUnsafeBytes { try self.decode(type, from: $0, body) }
    }

    /// The error of a decoding that must fail; nil if it does not.
    func decodingError<Message>(_ type: MessageType<Message>, from bytes: [UInt8]) -> DecodingError? {
        do {
            try self.decode(type, from: bytes) { _ in }
            return nil
        } catch {
            return error as? DecodingError
        }
    }

    func makeTimestamp(seconds: Int64, nanos: Int32) -> UnsafeMutablePointer<Google__Protobuf__Timestamp> {
        let timestamp = self.make(Messages.googleProtobufTimestamp)
        timestamp.pointee.seconds = seconds
        timestamp.pointee.nanos = nanos
        return timestamp
    }

    /// A device with every field set.
    func makeDevice(
        serial: String = "ABCD1234", attributeCount: Int = 3
    ) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let device = self.make(Messages.device)
        device.pointee.id = 7
        device.pointee.created_date = self.makeTimestamp(seconds: 1_547_874_073, nanos: 0)
        device.pointee.updated_date = self.makeTimestamp(seconds: 1_547_874_073, nanos: 999_999_000)
        device.pointee.device_serial = self.text(serial)
        device.pointee.owner_ref = self.text("Zoë Åström")
        device.pointee.hardware_version = self.text("hwrev1")
        device.pointee.last_seen = self.makeTimestamp(seconds: -1, nanos: 1)
        let release = self.make(Messages.release)
        release.pointee.id = .max
        release.pointee.version = self.text("1.2.3")
        device.pointee.last_seen_release = release
        let cohort = self.make(Messages.cohort)
        cohort.pointee.id = .min
        cohort.pointee.slug = self.text("beta")
        device.pointee.cohort = cohort
        device.pointee.etag = self.text("etag")
        device.pointee.n_attributes = attributeCount
        device.pointee.attributes = self.makePointerArray(count: attributeCount)
        for index in 0..<attributeCount {
            let attribute = self.make(Messages.attribute)
            let metric = self.make(Messages.customMetric)
            metric.pointee.id = self.text("0b9a1f6c-5f0e-4c57-9d3a-2f6f0c7f8f11")
            metric.pointee.string_key = self.text("key \(index)")
            metric.pointee.data_type = ROLLCALL__V1__DATA_TYPE__DATA_TYPE_FLOAT
            let state = self.make(Messages.attributeState)
            let value = self.make(Messages.attributeValue)
            value.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_FLOAT_VALUE
            value.pointee.float_value = index.isMultiple(of: 2) ? .nan : -0.0
            state.pointee.value = value
            state.pointee.time = self.makeTimestamp(seconds: 1_547_874_073, nanos: 1_000)
            state.pointee.created_date = self.makeTimestamp(seconds: 1_547_874_073, nanos: 1_000)
            state.pointee.updated_date = self.makeTimestamp(seconds: 1_547_874_073, nanos: 1_000)
            attribute.pointee.custom_metric = metric
            attribute.pointee.state = state
            device.pointee.attributes[index] = attribute
        }
        return device
    }

    /// What `build` makes, encoded.
    func bytes<Message>(_ build: (Arena) -> UnsafeMutablePointer<Message>) -> [UInt8] {
        self.scope { arena in Self.bytes(of: build(arena)) }
    }

    /// A message, encoded.
    static func bytes<Message>(of message: UnsafeMutablePointer<Message>) -> [UInt8] {
        let byteCount = Encoding.packedByteCount(of: UnsafePointer(message))
        return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = Encoding.pack(UnsafePointer(message), into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
