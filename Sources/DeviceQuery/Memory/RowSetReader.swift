// Reading a set of rows some at a time.

/// Goes through the rows of a ``RowSet`` in ascending order.
struct RowSetReader {
    private let set: RowSet
    /// The present chunk of a set that has chunks.
    private var chunk = 0
    /// How many rows of a list or of an array were read, or words of a bitmap.
    private var place = 0
    /// Of the present word of a bitmap, the bits that were not read.
    private var rest: UInt64 = 0

    init(_ set: RowSet) {
        self.set = set
    }

    /// Writes the next rows, up to `count` of them, and tells how many; none at the end only.
    mutating func read(into rows: UnsafeMutablePointer<UInt32>, count: Int) -> Int {
        guard self.set.isChunked else {
            let read = self.set.copy(from: self.place, into: rows, count: count)
            self.place += read
            return read
        }
        var read = 0
        while read < count, let chunk = self.set.chunk(self.chunk) {
            let first = UInt32(self.chunk << RowChunk.rowBits)
            let isThrough =
                chunk.bitmap.map { self.read($0, first, rows, &read, count) }
                ?? self.read(chunk.lows, first, rows, &read, count)
            guard isThrough else { break }
            self.chunk += 1
            self.place = 0
            self.set.chunk(self.chunk + 1)?.prefetch()
        }
        return read
    }

    /// Reads on in an array, and tells whether it has no more.
    private mutating func read(
        _ lows: UnsafeBufferPointer<UInt16>, _ first: UInt32, _ rows: UnsafeMutablePointer<UInt32>, _ read: inout Int,
        _ count: Int
    ) -> Bool {
        let added = min(count - read, lows.count - self.place)
        let (target, place) = (rows + read, self.place)
        for index in 0..<added { target[index] = first | UInt32(lows[place &+ index]) }
        self.place += added
        read += added
        return self.place == lows.count
    }

    /// Reads on in a bitmap, and tells whether it has no more.
    private mutating func read(
        _ words: UnsafePointer<UInt64>, _ first: UInt32, _ rows: UnsafeMutablePointer<UInt32>, _ read: inout Int,
        _ count: Int
    ) -> Bool {
        while true {
            while self.rest != 0, read < count {
                rows[read] = first | UInt32((self.place &- 1) << 6 | self.rest.trailingZeroBitCount)
                read &+= 1
                self.rest &= self.rest &- 1
            }
            guard self.rest == 0 else { return false }
            guard self.place < RowChunk.wordCount else { return true }
            self.rest = words[self.place]
            self.place &+= 1
        }
    }
}
