// A device straight into its bytes: what most replies are made of, written without a message in between.

internal import DeviceModel
internal import DeviceQuery

/// protobuf-c makes a message of five structs, measures it and walks its descriptors; for the one message that fills every
/// page this writes the same bytes in one pass. A test holds the two to each other, byte for byte.
extension BorrowedRecord {
    /// The field numbers of `rollcall.v1.Device` and of what it holds, each with its wire type.
    private enum Tag {
        static let id: UInt8 = 1 << 3
        static let createdDate: UInt8 = 2 << 3 | 2
        static let updatedDate: UInt8 = 3 << 3 | 2
        static let deviceSerial: UInt8 = 4 << 3 | 2
        static let ownerRef: UInt8 = 5 << 3 | 2
        static let hardwareVersion: UInt8 = 6 << 3 | 2
        static let lastSeen: UInt8 = 7 << 3 | 2
        static let lastSeenRelease: UInt8 = 8 << 3 | 2
        static let cohort: UInt8 = 9 << 3 | 2
        static let etag: UInt8 = 10 << 3 | 2
        /// In Release and Cohort: `id`, then their two texts.
        static let first: UInt8 = 2 << 3 | 2
        static let second: UInt8 = 3 << 3 | 2
        /// In Timestamp.
        static let seconds: UInt8 = 1 << 3
        static let nanoseconds: UInt8 = 2 << 3
    }

    /// What ``pack(into:storeTag:)`` writes at most beside the texts of a device, of which none is longer than 65,535 bytes:
    /// numbers of a tag and ten bytes, times of two and seventeen, a tag and three bytes of length before each text and each
    /// message, an etag.
    private static let packedByteCountMaxBesideTexts = 3 * 11 + 3 * 19 + (3 + 2 + 2 + 2) * 4 + 27

    /// At least as many bytes as ``pack(into:storeTag:)`` writes, for room to be made: how many it is comes to light with the
    /// writing.
    var packedByteCountMax: Int {
        var count = Self.packedByteCountMaxBesideTexts + self.serial.count + self.ownerRef.count
        count += self.hardwareVersion.count + self.cohort.name.count + self.cohort.slug.count
        if let release = self.release { count += release.version.count + release.revision.count }
        return count
    }

    /// Writes the device without its attributes to the front of `buffer`, and returns how many bytes that took.
    ///
    /// - Precondition: `buffer` has room for ``packedByteCountMax`` bytes.
    /// - Complexity: O(bytes), about a nanosecond for each ten.
    func pack(into buffer: UnsafeMutableRawBufferPointer, storeTag: UInt32) -> Int {
        var output = PackedOutput(buffer)
        output.number(Tag.id, self.id.rawValue)
        output.timestamp(Tag.createdDate, self.createdDate, Tag.seconds, Tag.nanoseconds)
        output.timestamp(Tag.updatedDate, self.updatedDate, Tag.seconds, Tag.nanoseconds)
        output.text(Tag.deviceSerial, self.serial)
        output.text(Tag.ownerRef, self.ownerRef)
        output.text(Tag.hardwareVersion, self.hardwareVersion)
        if let lastSeen = self.lastSeen {
            output.timestamp(Tag.lastSeen, lastSeen, Tag.seconds, Tag.nanoseconds)
        }
        if let release = self.release {
            output.header(Tag.lastSeenRelease, release.packedByteCount)
            output.number(Tag.id, release.id.rawValue)
            output.text(Tag.first, release.version)
            output.text(Tag.second, release.revision)
        }
        output.header(Tag.cohort, self.cohort.packedByteCount)
        output.number(Tag.id, self.cohort.id.rawValue)
        output.text(Tag.first, self.cohort.name)
        output.text(Tag.second, self.cohort.slug)
        let etag = Etag(storeTag: storeTag, revision: self.etagRevision)
        output.shortText(Tag.etag) { etag.write(into: $0) }
        return output.byteCount
    }
}

extension BorrowedRecord.Release {
    fileprivate var packedByteCount: Int {
        PackedSize.number(self.id.rawValue) + PackedSize.text(self.version.count) + PackedSize.text(self.revision.count)
    }
}

extension BorrowedRecord.Cohort {
    fileprivate var packedByteCount: Int {
        PackedSize.number(self.id.rawValue) + PackedSize.text(self.name.count) + PackedSize.text(self.slug.count)
    }
}
