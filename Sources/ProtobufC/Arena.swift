package import CRollcallProto

/// Memory for C messages, taken from the front of a chunk and given back a whole scope at a time.
///
/// Scopes nest like calls: what a scope allocates lives until its closure returns, and no pointer may leave it.
///
/// ## Concurrency
/// Not thread-safe: ``current`` is each thread's own.
package final class Arena {
    /// Memory that one message may take unless said otherwise: 32 MiB.
    package static let byteCountMaxDefault = 32 << 20

    /// Memory that the decoding of one message may take, in bytes.
    package let byteCountMax: Int

    @usableFromInline let state: UnsafeMutablePointer<ArenaState>
    private let allocator: UnsafeMutablePointer<ProtobufCAllocator>

    /// Makes an empty arena.
    ///
    /// - Parameter byteCountMax: Memory that the decoding of one message may take, in bytes. What we build ourselves is
    ///   not counted.
    package init(byteCountMax: Int = Arena.byteCountMaxDefault) {
        self.byteCountMax = byteCountMax
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: ArenaState())
        self.allocator = .allocate(capacity: 1)
        self.allocator.initialize(to: ArenaState.allocator(for: self.state))
    }

    deinit {
        self.state.pointee.free()
        self.state.deallocate()
        self.allocator.deallocate()
    }

    /// Bytes in use at present.
    package var byteCount: Int { self.state.pointee.byteCount }

    // MARK: Decoding

    /// Decodes `bytes` and hands the message to `body`, after which the message is gone.
    ///
    /// The whole message is checked first: its structure, its depth and size, and that every text is UTF-8 without NUL.
    /// Fields that the type does not have are skipped.
    ///
    /// - Throws: `DecodingError` if the bytes are no acceptable message; otherwise what `body` throws.
    /// - Complexity: O(`bytes.count`); no allocation from the system for messages that take less than 64 KiB.
    @inlinable
    package func decode<Message, R>(
        _ type: MessageType<Message>,
        from bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeMutablePointer<Message>) throws -> R
    ) throws -> R {
        let mark = self.state.pointee.mark()
        defer { self.state.pointee.release(to: mark) }
        let message = try self.unpack(bytes, as: type.schema)
        return try body(message.assumingMemoryBound(to: Message.self))
    }

    /// Decodes `bytes` into memory of the enclosing scope.
    @usableFromInline
    func unpack(
        _ bytes: UnsafeRawBufferPointer,
        as schema: UnsafePointer<RollcallMessageSchema>
    ) throws(DecodingError) -> UnsafeMutableRawPointer {
        try WireGuard.check(bytes, as: schema)
        let outerByteCountMax = self.state.pointee.byteCountMax
        self.state.pointee.byteCountMax = self.state.pointee.byteCount + self.byteCountMax
        self.state.pointee.isExhausted = false
        let message = protobuf_c_message_unpack(
            schema.pointee.descriptor,
            self.allocator,
            bytes.count,
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        self.state.pointee.byteCountMax = outerByteCountMax
        guard let message else {
            throw self.state.pointee.isExhausted
                ? DecodingError(.tooLarge, "Decoding the message takes more than \(self.byteCountMax) bytes of memory.")
                : DecodingError(.malformed, "The bytes are not a message of the expected type.")
        }
        return UnsafeMutableRawPointer(message)
    }

    // MARK: Building

    /// Runs `body`, then takes back everything that it allocated.
    @inlinable
    package func scope<R, Failure: Error>(_ body: (Arena) throws(Failure) -> R) throws(Failure) -> R {
        let mark = self.state.pointee.mark()
        defer { self.state.pointee.release(to: mark) }
        return try body(self)
    }

    /// A message with every field at its default, in memory of the enclosing scope.
    package func make<Message>(_ type: MessageType<Message>) -> UnsafeMutablePointer<Message> {
        let memory = self.state.pointee.allocate(byteCount: type.descriptor.pointee.sizeof_message)
        protobuf_c_message_init(type.descriptor, memory)
        return memory.assumingMemoryBound(to: Message.self)
    }

    /// Room for the pointers of a repeated message field, all nil.
    package func makePointerArray<Message>(
        count: Int
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?> {
        self.makeArray(repeating: nil, count: count)
    }

    /// Room for the values of a repeated text field, all empty.
    package func makeTextArray(count: Int) -> UnsafeMutablePointer<ProtobufCBinaryData> {
        self.makeArray(repeating: ProtobufCBinaryData(), count: count)
    }

    /// Room for `count` bytes of unspecified content, in memory of the enclosing scope.
    package func bytes(count: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: self.state.pointee.allocate(byteCount: count), count: count)
    }

    /// A copy of the values of a repeated field of numbers, in memory of the enclosing scope.
    package func numbers(_ values: [UInt32]) -> UnsafeMutablePointer<UInt32> {
        let numbers = self.makeArray(repeating: UInt32(0), count: values.count)
        for (index, value) in values.enumerated() {
            numbers[index] = value
        }
        return numbers
    }

    private func makeArray<Element>(repeating element: Element, count: Int) -> UnsafeMutablePointer<Element> {
        let memory = self.state.pointee.allocate(byteCount: count * MemoryLayout<Element>.stride)
        return memory.initializeMemory(as: Element.self, repeating: element, count: count)
    }

    /// A copy of `string`, in memory of the enclosing scope.
    package func text(_ string: String) -> ProtobufCBinaryData {
        var string = string
        return string.withUTF8 { utf8 in
            guard let source = utf8.baseAddress else { return ProtobufCBinaryData() }
            let memory = self.state.pointee.allocate(byteCount: utf8.count)
            memory.copyMemory(from: source, byteCount: utf8.count)
            return ProtobufCBinaryData(len: utf8.count, data: memory.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// A view of `bytes`, which must outlive the message; nothing is copied.
    package func text(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
        ProtobufCBinaryData(borrowing: bytes)
    }
}
