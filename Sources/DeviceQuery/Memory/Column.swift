// A growable run of plain values, the ground on which every table of the index stands.

internal import CRollcallShims
internal import Glibc

/// Plain values side by side in memory of their own, beginning on a cache line.
///
/// Growth doubles the room; that of a ``LargeBlock`` moves its pages rather than its bytes, and room that was never written takes no
/// physical memory. Any growth ends the life of pointers into the column.
/// - Complexity: O(1) to read and write, O(1) amortised to append.
struct Column<Element: BitwiseCopyable>: ~Copyable {
    /// The values; the first `count` are initialised.
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private(set) var capacity: Int
    /// Nil while nothing was ever in the column: many a column of a query stays empty.
    private var block: UnsafeMutableRawPointer?

    private static var alignment: Int { 64 }

    init(capacity: Int = 0) {
        self.capacity = 0
        self.base = Self.nowhere
        if capacity > 0 { self.reserve(capacity) }
    }

    /// What stands for the values of a column without any.
    private static var nowhere: UnsafeMutablePointer<Element> {
        guard let address = UnsafeMutablePointer<Element>(bitPattern: Self.alignment) else {
            preconditionFailure("an address that is not zero is a pointer")
        }
        return address
    }

    deinit {
        guard let block = self.block else { return }
        if LargeBlock.isLarge(self.roomByteCount) {
            LargeBlock.destroy(block, self.roomByteCount)
        } else {
            free(block)
        }
    }

    private var roomByteCount: Int { self.capacity * MemoryLayout<Element>.stride }

    /// What the column holds in memory, room to grow left out.
    var byteCount: Int {
        self.count * MemoryLayout<Element>.stride
    }

    /// The values where they lie, valid until the column changes.
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: self.base, count: self.count) }

    subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: self.count), "the column ends before this index")
            return self.base[index]
        }
        @inline(__always) set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: self.count), "the column ends before this index")
            self.base[index] = newValue
        }
    }

    mutating func append(_ value: Element) {
        if self.count == self.capacity {
            self.reserve(max(self.capacity * 2, 4))
        }
        self.base[self.count] = value
        self.count += 1
    }

    /// Appends `count` values of unspecified content and tells where they begin.
    mutating func appendRoom(_ count: Int) -> Int {
        let start = self.count
        if start + count > self.capacity {
            self.reserve(max(self.capacity * 2, start + count))
        }
        self.count += count
        return start
    }

    /// Appends `value` so many times and tells where that begins.
    @discardableResult
    mutating func append(repeating value: Element, count: Int) -> Int {
        let start = self.appendRoom(count)
        (self.base + start).update(repeating: value, count: count)
        return start
    }

    mutating func removeLast(_ count: Int = 1) {
        precondition(count >= 0 && count <= self.count, "the column has fewer values")
        self.count -= count
    }

    /// Forgets the values and keeps the room.
    mutating func removeAll() {
        self.count = 0
    }

    /// Puts `value` before the one at `index`. - Complexity: O(n).
    mutating func insert(_ value: Element, at index: Int) {
        precondition((0...self.count).contains(index), "the column ends before this index")
        self.append(value)
        memmove(self.base + index + 1, self.base + index, (self.count - 1 - index) * MemoryLayout<Element>.stride)
        self.base[index] = value
    }

    /// - Complexity: O(n).
    mutating func remove(at index: Int) {
        precondition((0..<self.count).contains(index), "the column ends before this index")
        self.count -= 1
        memmove(self.base + index, self.base + index + 1, (self.count - index) * MemoryLayout<Element>.stride)
    }

    /// Makes room for `capacity` values in all.
    private mutating func reserve(_ capacity: Int) {
        guard capacity > self.capacity else { return }
        let (old, oldByteCount) = (self.block, self.roomByteCount)
        self.capacity = capacity
        guard !LargeBlock.isLarge(self.roomByteCount) else {
            return self.growLarge(old, oldByteCount)
        }
        let offset = old.map { UnsafeMutableRawPointer(self.base) - $0 } ?? 0
        let block = allocated(realloc(old, self.roomByteCount + Self.alignment))
        let start = block.alignedUp(toMultipleOf: Self.alignment)
        if self.count > 0, start - block != offset {
            memmove(start, block + offset, self.byteCount)
        }
        self.block = block
        self.base = start.assumingMemoryBound(to: Element.self)
    }

    private mutating func growLarge(_ old: UnsafeMutableRawPointer?, _ oldByteCount: Int) {
        let block: UnsafeMutableRawPointer
        if let old, LargeBlock.isLarge(oldByteCount) {
            block = LargeBlock.grow(old, from: oldByteCount, to: self.roomByteCount)
        } else {
            block = LargeBlock.make(self.roomByteCount)
            memcpy(block, self.base, self.byteCount)
            free(old)
        }
        self.block = block
        self.base = block.assumingMemoryBound(to: Element.self)
    }
}

/// The block that the allocator gave; running out of memory is not something that an index survives.
@inline(__always)
func allocated(_ block: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
    guard let block else { preconditionFailure("the index has run out of memory") }
    return block
}

/// A column whose values are fetched before they are read.
struct ColumnPrefetch {
    private let base: UnsafeRawPointer
    private let shift: Int

    /// - Parameter base: the first of the values, each of which takes a power of two of bytes.
    init<Value: BitwiseCopyable>(_ base: UnsafePointer<Value>) {
        self.base = UnsafeRawPointer(base)
        self.shift = MemoryLayout<Value>.stride.trailingZeroBitCount
    }

    /// Begins to fetch the value of a row.
    @inline(__always)
    func prefetch(_ row: UInt32) { rollcall_prefetch(self.base + Int(row) &<< self.shift) }
}
