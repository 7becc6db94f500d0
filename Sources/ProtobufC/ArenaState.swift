internal import CRollcallProto

/// The memory of an arena: a chain of chunks, filled from the front, emptied from the back.
///
/// It is a struct behind a stable pointer so that protobuf-c's callbacks reach it without touching a class.
///
/// Invariant: `chunk` starts with a `ChunkHeader`, `cursor` and `end` lie in it, and `cursor` is aligned to
/// `alignment`.
@usableFromInline
struct ArenaState {
    /// What stands at the start of every chunk.
    private struct ChunkHeader {
        /// The chunk filled before this one.
        var previous: UnsafeMutableRawPointer?
        /// Size of the chunk, header included.
        var byteCount: Int
    }

    /// A state of the arena to go back to.
    @usableFromInline
    struct Mark {
        fileprivate let chunk: UnsafeMutableRawPointer
        fileprivate let cursor: UnsafeMutableRawPointer
        fileprivate let byteCount: Int
    }

    /// Suits every C type that protobuf-c stores.
    private static let alignment = 8
    /// Size of the first chunk, which is kept: most messages fit.
    private static let firstChunkByteCount = 64 << 10
    /// Size that chunks grow to, by doubling; a larger allocation gets a chunk of its own size.
    private static let chunkByteCountMax = 4 << 20

    private var chunk: UnsafeMutableRawPointer
    private var cursor: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    /// Bytes handed out since the arena was empty.
    private(set) var byteCount = 0
    /// `byteCount` that decoding must not pass.
    var byteCountMax = Int.max
    /// A decoding was refused memory.
    var isExhausted = false

    init() {
        self.chunk = Self.makeChunk(byteCount: Self.firstChunkByteCount, previous: nil)
        self.cursor = self.chunk + MemoryLayout<ChunkHeader>.size
        self.end = self.chunk + Self.firstChunkByteCount
    }

    private static func makeChunk(byteCount: Int, previous: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        chunk.storeBytes(of: ChunkHeader(previous: previous, byteCount: byteCount), as: ChunkHeader.self)
        return chunk
    }

    /// Memory under the ceiling, for what a peer's bytes make us store; nil, remembered, at the ceiling.
    @inline(__always)
    mutating func allocateBounded(byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount <= self.byteCountMax &- self.byteCount else {
            self.isExhausted = true
            return nil
        }
        return self.allocate(byteCount: byteCount)
    }

    /// Memory for what we build ourselves.
    @inline(__always)
    mutating func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let rounded = (byteCount + (Self.alignment - 1)) & ~(Self.alignment - 1)
        if rounded > self.end - self.cursor { self.grow(for: rounded) }
        let memory = self.cursor
        self.cursor += rounded
        self.byteCount &+= rounded
        return memory
    }

    @inline(never)
    private mutating func grow(for byteCount: Int) {
        let doubled = min(2 * self.chunk.load(as: ChunkHeader.self).byteCount, Self.chunkByteCountMax)
        let chunkByteCount = max(doubled, byteCount + MemoryLayout<ChunkHeader>.size)
        self.chunk = Self.makeChunk(byteCount: chunkByteCount, previous: self.chunk)
        self.cursor = self.chunk + MemoryLayout<ChunkHeader>.size
        self.end = self.chunk + chunkByteCount
    }

    /// The present state, to go back to.
    @usableFromInline
    func mark() -> Mark {
        Mark(chunk: self.chunk, cursor: self.cursor, byteCount: self.byteCount)
    }

    /// Takes back everything allocated since `mark`.
    @usableFromInline
    mutating func release(to mark: Mark) {
        if self.chunk != mark.chunk { self.freeChunks(downTo: mark.chunk) }
        #if DEBUG
        // A pointer that outlived its scope reads nonsense instead of the message it used to point to.
        mark.cursor.initializeMemory(as: UInt8.self, repeating: 0xDD, count: self.cursor - mark.cursor)
        #endif
        self.cursor = mark.cursor
        self.byteCount = mark.byteCount
    }

    @inline(never)
    private mutating func freeChunks(downTo last: UnsafeMutableRawPointer) {
        while self.chunk != last {
            guard let previous = self.chunk.load(as: ChunkHeader.self).previous else {
                preconditionFailure("A mark is released before those that were set after it, and only once.")
            }
            self.chunk.deallocate()
            self.chunk = previous
        }
        self.end = self.chunk + self.chunk.load(as: ChunkHeader.self).byteCount
        self.cursor = self.end
    }

    /// Gives all memory back. The state is not used again.
    func free() {
        var chunk: UnsafeMutableRawPointer? = self.chunk
        while let current = chunk {
            chunk = current.load(as: ChunkHeader.self).previous
            current.deallocate()
        }
    }
}

extension ArenaState {
    /// protobuf-c's way to a state: allocation under the ceiling, and no freeing of single pieces.
    static func allocator(for state: UnsafeMutablePointer<ArenaState>) -> ProtobufCAllocator {
        ProtobufCAllocator(
            alloc: { state, byteCount in
                state?.assumingMemoryBound(to: ArenaState.self).pointee.allocateBounded(byteCount: byteCount)
            },
            free: { _, _ in },
            allocator_data: state
        )
    }
}
