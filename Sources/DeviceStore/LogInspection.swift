// What the bytes of a write-ahead log tell before SQLite opens it: whether it holds all that was ever synced to it.

internal import Glibc

/// Looks for acknowledged changes that SQLite would leave out.
///
/// SQLite takes a log up to the first frame whose checksum is wrong, which after a power failure is right: what lies
/// behind was being written and was never acknowledged. A damaged place in the middle looks the same to it, and everything
/// behind that would silently be gone. Two things tell the cases apart:
///
/// - A transaction is synced before the next one is begun. So where, behind the first wrong frame, the frame that ends
///   a transaction is followed by one that was written after it (its checksum goes on from the other's), the transaction
///   had been synced, and everything before it.
/// - The log's index (`-shm`) is told of a transaction after that is synced. So where it speaks of the same log and of
///   more frames than there are, frames have been lost.
///
/// A log without its last transactions and without its index tells nothing.
/// The format is https://www.sqlite.org/fileformat2.html#walformat and https://www.sqlite.org/walformat.html.
struct LogInspection: ~Copyable {
    /// Where a log is damaged.
    struct Damage: Hashable {
        /// The first byte of the log that cannot be trusted.
        var offset: Int
    }

    private static let headerByteCount = 32
    private static let frameHeaderByteCount = 24
    /// Two copies of the index's header, each of this size, come first in it.
    private static let indexHeaderByteCount = 48

    private let descriptor: Int32
    /// The log's own, or the database's where the log does not say.
    private let pageByteCount: Int
    /// Nil where it is damaged.
    private let header: LogHeader?

    /// Finds damage in the log at `path`; nil where there is none, no log, or no way to tell.
    ///
    /// - Parameters:
    ///   - indexPath: the log's index, which need not be there.
    ///   - pageByteCount: the database's.
    /// - Throws: the error of a read that failed.
    /// - Complexity: O(bytes of the log), which is read once.
    static func damage(in path: String, indexPath: String, pageByteCount: Int) throws(SystemError) -> Damage? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemError(number: errno)
        }
        var bytes = [UInt8](repeating: 0, count: Self.headerByteCount)
        let isWhole: Bool
        do {
            isWhole = try fill(&bytes, from: descriptor, at: 0)
        } catch {
            close(descriptor)
            throw error
        }
        guard isWhole else {
            close(descriptor)
            return nil
        }
        let header = LogHeader(bytes)
        let inspection = LogInspection(
            descriptor: descriptor, pageByteCount: header?.pageByteCount ?? pageByteCount, header: header)
        return try inspection.damage(syncedFrameCount: inspection.syncedFrameCount(indexPath))
    }

    private init(descriptor: Int32, pageByteCount: Int, header: LogHeader?) {
        self.descriptor = descriptor
        self.pageByteCount = pageByteCount
        self.header = header
    }

    deinit {
        close(self.descriptor)
    }

    private func damage(syncedFrameCount: Int) throws(SystemError) -> Damage? {
        let isBigEndian = self.header?.isBigEndian ?? Checksum.isHostBigEndian
        var bytes = [UInt8](repeating: 0, count: Self.frameHeaderByteCount + self.pageByteCount)
        /// The checksum so far; nil behind the first wrong frame.
        var checksum = self.header?.checksum
        var committedCount = 0
        var previous: LogFrame?
        var index = 0
        while try fill(&bytes, from: self.descriptor, at: self.offset(ofFrame: index)) {
            let frame = LogFrame(bytes)
            index += 1
            if let last = checksum {
                if frame.salt == self.header?.salt, frame.follows(last, bytes, isBigEndian: isBigEndian) {
                    checksum = frame.checksum
                    if frame.isCommit { committedCount = index }
                    continue
                }
                checksum = nil
            } else if let previous, previous.isCommit, previous.salt == frame.salt,
                self.header.map({ $0.salt == frame.salt }) ?? true,
                frame.follows(previous.checksum, bytes, isBigEndian: isBigEndian)
            {
                return Damage(offset: self.header == nil ? 0 : self.offset(ofFrame: committedCount))
            }
            previous = frame
        }
        return syncedFrameCount > committedCount ? Damage(offset: self.offset(ofFrame: committedCount)) : nil
    }

    private func offset(ofFrame index: Int) -> Int {
        Self.headerByteCount + index * (Self.frameHeaderByteCount + self.pageByteCount)
    }

    /// How many frames of this log the index at `path` knows to be synced; 0 where it is of no use.
    private func syncedFrameCount(_ path: String) throws(SystemError) -> Int {
        guard let header = self.header else { return 0 }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 2 * Self.indexHeaderByteCount)
        guard try fill(&bytes, from: descriptor, at: 0),
            bytes.prefix(Self.indexHeaderByteCount).elementsEqual(bytes.suffix(Self.indexHeaderByteCount)),
            bytes.nativeWord(at: 0) == LogHeader.version,
            Checksum().continued(over: bytes, 0..<40, isBigEndian: Checksum.isHostBigEndian)
                == Checksum(bytes.nativeWord(at: 40), bytes.nativeWord(at: 44)),
            bytes.bigEndianPair(at: 32) == header.salt
        else { return 0 }
        return Int(bytes.nativeWord(at: 16))
    }
}

/// A log's first 32 bytes.
private struct LogHeader {
    static let version: UInt32 = 3_007_000

    let isBigEndian: Bool
    let pageByteCount: Int
    let salt: UInt64
    let checksum: Checksum

    /// - Returns: nil where they are not what a log begins with.
    init?(_ bytes: [UInt8]) {
        let magic = bytes.bigEndianWord(at: 0)
        self.isBigEndian = magic == 0x377F_0683
        self.pageByteCount = Int(bytes.bigEndianWord(at: 8))
        self.salt = bytes.bigEndianPair(at: 16)
        self.checksum = Checksum().continued(over: bytes, 0..<24, isBigEndian: self.isBigEndian)
        guard self.isBigEndian || magic == 0x377F_0682, bytes.bigEndianWord(at: 4) == Self.version,
            (512...65_536).contains(self.pageByteCount), self.pageByteCount.nonzeroBitCount == 1,
            self.checksum == Checksum(bytes.bigEndianWord(at: 24), bytes.bigEndianWord(at: 28))
        else { return nil }
    }
}

/// What a frame says of itself.
private struct LogFrame {
    /// Whether it ends a transaction.
    let isCommit: Bool
    let salt: UInt64
    let checksum: Checksum

    init(_ bytes: [UInt8]) {
        self.isCommit = bytes.bigEndianWord(at: 4) != 0
        self.salt = bytes.bigEndianPair(at: 8)
        self.checksum = Checksum(bytes.bigEndianWord(at: 16), bytes.bigEndianWord(at: 20))
    }

    /// Whether its checksum goes on from `last` over `bytes`, which are its own.
    func follows(_ last: Checksum, _ bytes: [UInt8], isBigEndian: Bool) -> Bool {
        last.continued(over: bytes, 0..<8, isBigEndian: isBigEndian)
            .continued(over: bytes, 24..<bytes.count, isBigEndian: isBigEndian) == self.checksum
    }
}

/// The two running sums of a log.
private struct Checksum: Equatable {
    static let isHostBigEndian = UInt32(bigEndian: 1) == 1

    private var first: UInt32
    private var second: UInt32

    init(_ first: UInt32 = 0, _ second: UInt32 = 0) {
        self.first = first
        self.second = second
    }

    /// - Parameter range: a multiple of 8 bytes.
    func continued(over bytes: [UInt8], _ range: Range<Int>, isBigEndian: Bool) -> Checksum {
        var (first, second) = (self.first, self.second)
        let isSwapped = isBigEndian != Self.isHostBigEndian
        bytes.withUnsafeBytes { buffer in
            for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                let low = buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                let high = buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                first &+= (isSwapped ? low.byteSwapped : low) &+ second
                second &+= (isSwapped ? high.byteSwapped : high) &+ first
            }
        }
        return Checksum(first, second)
    }
}

extension [UInt8] {
    fileprivate func nativeWord(at offset: Int) -> UInt32 {
        self.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }

    fileprivate func bigEndianWord(at offset: Int) -> UInt32 {
        UInt32(bigEndian: self.nativeWord(at: offset))
    }

    fileprivate func bigEndianPair(at offset: Int) -> UInt64 {
        UInt64(self.bigEndianWord(at: offset)) << 32 | UInt64(self.bigEndianWord(at: offset + 4))
    }
}

/// The number of a failed system call's error.
struct SystemError: Error {
    var number: Int32
}

/// Fills `bytes` with what lies at `offset` of a file; false where the file ends before that.
private func fill(_ bytes: inout [UInt8], from descriptor: Int32, at offset: Int) throws(SystemError) -> Bool {
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { buffer in
            pread(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count, off_t(offset + count))
        }
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw SystemError(number: errno) }
        if got == 0 { return false }
        count += got
    }
    return true
}
