// SQLite's own header (https://www.sqlite.org/fileformat2.html), read so that a file which is not ours is not opened.

internal import Glibc

/// The first bytes of a database file.
struct DatabaseHeader {
    private static let byteCount = 100

    private let bytes: [UInt8]

    /// Reads it from a file; nil where that cannot be read, for which `errno` says why.
    init?(descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { return nil }
        self.bytes = Array(bytes[..<count])
    }

    /// Whether this program wrote the file.
    var isOurs: Bool {
        self.bytes.starts(with: Array("SQLite format 3\0".utf8)) && self.bytes.count == Self.byteCount
            && self.number(at: 68) == Schema.applicationID
    }

    /// The format's version (`user_version`). Of a file that is ours.
    var version: UInt32 { self.number(at: 60) }

    /// How long the file is, as its last writer put it down; nil where that did not. Of a file that is ours.
    var fileByteCount: Int64? {
        guard self.number(at: 24) == self.number(at: 92) else { return nil }
        return Int64(self.number(at: 28)) * Int64(self.pageByteCount)
    }

    /// How long a page is. Of a file that is ours.
    var pageByteCount: Int {
        let byteCount = Int(self.number(at: 16) >> 16)
        return byteCount == 1 ? 65_536 : byteCount
    }

    private func number(at offset: Int) -> UInt32 {
        self.bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
