// Memory for the tables of a large fleet, on large pages where the system has them.

internal import CRollcallShims
internal import Glibc

/// Blocks of whole pages of 2 MiB: look-ups go to memory in no order, and with pages of 4 KiB much of their time goes into finding
/// those.
///
/// A kernel that does not have large pages is none the worse; nothing depends on it. What was never written takes no physical
/// memory, up to the page.
enum LargeBlock {
    private static var pageByteCount: Int { 2 << 20 }

    /// Whether a block of this size is made here, rather than by the allocator.
    static func isLarge(_ byteCount: Int) -> Bool { byteCount >= Self.pageByteCount }

    /// A block whose bytes are zero.
    static func make(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = Self.rounded(byteCount)
        let mapping = mmap(nil, size + Self.pageByteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(mapping != MAP_FAILED, "the index has run out of memory")
        let start = allocated(mapping)
        // What lies before the first whole page and after the last one goes back.
        let block = start.alignedUp(toMultipleOf: Self.pageByteCount)
        if block > start { munmap(start, block - start) }
        munmap(block + size, start + Self.pageByteCount - block)
        madvise(block, size, MADV_HUGEPAGE)
        return block
    }

    /// A larger block with the bytes of one that ends with this. - Complexity: O(pages): they move, not what is in them.
    static func grow(_ block: UnsafeMutableRawPointer, from byteCount: Int, to larger: Int) -> UnsafeMutableRawPointer {
        let target = Self.make(larger)
        let failure = rollcall_mapping_move(block, Self.rounded(byteCount), target, Self.rounded(larger))
        precondition(failure == 0, "the index has run out of memory")
        madvise(target, Self.rounded(larger), MADV_HUGEPAGE)
        return target
    }

    static func destroy(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        munmap(block, Self.rounded(byteCount))
    }

    private static func rounded(_ byteCount: Int) -> Int {
        (byteCount + Self.pageByteCount - 1) / Self.pageByteCount * Self.pageByteCount
    }
}
