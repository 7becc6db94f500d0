package import CProtobufC

extension Arena {
    /// A text that `write` puts together in memory of the enclosing scope; it returns how many bytes it wrote.
    ///
    /// - Parameter byteCountMax: Room that `write` gets, in bytes.
    package func text(
        byteCountMax: Int,
        _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> ProtobufCBinaryData {
        let memory = self.state.pointee.allocate(byteCount: byteCountMax)
        let byteCount = write(UnsafeMutableRawBufferPointer(start: memory, count: byteCountMax))
        precondition(byteCount <= byteCountMax, "A text stays within the room that was made for it.")
        return ProtobufCBinaryData(len: byteCount, data: memory.assumingMemoryBound(to: UInt8.self))
    }
}
