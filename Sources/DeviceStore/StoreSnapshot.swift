// What a backup sends: a copy of the store, in a file that nobody else sees.

package import DeviceModel
package import FoundationEssentials
internal import Glibc

/// A copy of a store as it was after one of its batches. It holds nobody up, takes room on the disk, and is gone once
/// nobody refers to it.
///
/// ## Concurrency
/// Any thread reads it; a read may block for as long as the disk takes.
package final class StoreSnapshot: Sendable {
    /// Names the history that ``revision`` belongs to.
    package let storeID: UUID
    /// Of the newest change in it.
    package let revision: Revision
    package let byteCount: Int64
    private let descriptor: Int32

    /// - Parameter descriptor: of the file, which is the snapshot's from here on, whether this throws or not.
    /// - Throws: `failed` where the file cannot be looked at.
    package init(descriptor: Int32, head: StoreHead) throws(StoreError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let why = systemReason()
            close(descriptor)
            throw StoreError(.failed, "cannot look at the copy of the store: \(why); check the disk")
        }
        self.storeID = head.storeID
        self.revision = head.highWaterMarks.revision
        self.byteCount = Int64(status.st_size)
        self.descriptor = descriptor
    }

    /// Reads what follows on `position`, as much as `bytes` has room for or as there is.
    ///
    /// - Returns: how many bytes were read; 0 at the end alone.
    /// - Throws: `failed` where the disk does not give back what was written to it.
    package func read(at position: Int64, into bytes: UnsafeMutableRawBufferPointer) throws(StoreError) -> Int {
        var count = 0
        while count < bytes.count, position + Int64(count) < self.byteCount {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[count...])
            let readCount = pread(self.descriptor, rest.baseAddress, rest.count, off_t(position) + count)
            if readCount < 0, errno == EINTR { continue }
            guard readCount > 0 else {
                let why = readCount < 0 ? systemReason() : "it ends early"
                throw StoreError(.failed, "cannot read the copy of the store: \(why); check the disk")
            }
            count += readCount
        }
        return count
    }

    deinit {
        close(self.descriptor)
    }
}
