// Texts side by side, each under a number half as wide as a pointer.

internal import CRollcallShims
internal import Glibc

/// Where a text lies in its ``TextPool``.
struct TextRef: BitwiseCopyable, Hashable {
    /// In units of four bytes from the pool's start.
    var unit: UInt32

    static let none = TextRef(unit: .max)
}

/// Texts of up to 65,535 bytes, stored with their length in units of four bytes; at most 16 GiB.
///
/// The room of a removed text is kept in a list for its size and given to the next one of that size, so that a fleet whose serials
/// come and go stays as small as it ever was.
///
/// Invariant: every ``TextRef`` that `insert` returned and that was not removed since is the start of a live text.
/// - Complexity: O(length of the text) for each operation.
struct TextPool: ~Copyable {
    private var units: Column<UInt32>
    /// By size in units, the first free place, which holds the number of the next.
    private var freePlaces: [UInt32] = []

    init() {
        self.units = Column(capacity: 16)
    }

    /// Free places included: they are memory that is held.
    var byteCount: Int {
        self.units.byteCount
    }

    /// The bytes of a text, valid until the pool changes.
    @inline(__always)
    func text(_ reference: TextRef) -> UnsafeRawBufferPointer {
        precondition(Int(reference.unit) < self.units.count, "the text is not of this pool")
        return self.reader.text(reference)
    }

    /// Begins to fetch a text that will be read soon.
    @inline(__always)
    func prefetch(_ reference: TextRef) {
        rollcall_prefetch(self.units.base + Int(reference.unit))
    }

    /// Reads the texts of a pool without a hold on it.
    ///
    /// Invariant: it is used while the pool lives, does not change and holds the texts that are asked for.
    struct Reader: BitwiseCopyable {
        fileprivate let units: UnsafePointer<UInt32>

        @inline(__always)
        func text(_ reference: TextRef) -> UnsafeRawBufferPointer {
            let start = UnsafeRawPointer(self.units + Int(reference.unit))
            return UnsafeRawBufferPointer(start: start + 2, count: Int(start.load(as: UInt16.self)))
        }
    }

    @inline(__always)
    var reader: Reader { Reader(units: UnsafePointer(self.units.base)) }

    /// Copies `text`, which must not lie in this pool.
    mutating func insert(_ text: UnsafeRawBufferPointer) -> TextRef {
        precondition(text.count <= Int(UInt16.max), "a text of the index is at most 65,535 bytes long")
        let size = Self.unitCount(text.count)
        let unit: Int
        if size < self.freePlaces.count, self.freePlaces[size] != TextRef.none.unit {
            unit = Int(self.freePlaces[size])
            self.freePlaces[size] = self.units[unit]
        } else {
            precondition(self.units.count + size < Int(UInt32.max), "the texts of one project take at most 16 GiB")
            unit = self.units.appendRoom(size)
        }
        let start = UnsafeMutableRawPointer(self.units.base + unit)
        start.storeBytes(of: UInt16(text.count), as: UInt16.self)
        if let source = text.baseAddress {
            memcpy(start + 2, source, text.count)
        }
        return TextRef(unit: UInt32(unit))
    }

    mutating func remove(_ reference: TextRef) {
        let size = Self.unitCount(self.text(reference).count)
        while self.freePlaces.count <= size {
            self.freePlaces.append(TextRef.none.unit)
        }
        self.units[Int(reference.unit)] = self.freePlaces[size]
        self.freePlaces[size] = reference.unit
    }

    private static func unitCount(_ byteCount: Int) -> Int {
        (byteCount + 2 + 3) / 4
    }
}
