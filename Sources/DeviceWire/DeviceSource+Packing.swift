// A device straight into its bytes: what most replies are made of, written without a message in between.

internal import DeviceModel

/// protobuf-c makes a message of five structs, measures it and walks its descriptors; for the one message that fills every
/// page this writes the same bytes in one pass. A test holds the two to each other, byte for byte.
extension DeviceSource {
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

    /// What ``pack(into:)`` writes at most beside the texts of a device, of which none is longer than 65,535 bytes: numbers of a
    /// tag and ten bytes, times of two and seventeen, a tag and three bytes of length before each text and each message, an etag.
    private static let packedByteCountMaxBesideTexts = 3 * 11 + 3 * 19 + (3 + 2 + 2 + 2) * 4 + 27

    /// At least as many bytes as ``pack(into:)`` writes, for room to be made: how many it is comes to light with the writing.
    package var packedByteCountMax: Int {
        var count = Self.packedByteCountMaxBesideTexts + self.serial.count + self.ownerRef.count
        count += self.hardwareVersion.count + self.cohort.name.count + self.cohort.slug.count
        if let release = self.release { count += release.version.count + release.revision.count }
        return count
    }

    /// Writes the device without its attributes to the front of `buffer`, and returns how many bytes that took.
    ///
    /// - Precondition: `buffer` has room for ``packedByteCountMax`` bytes.
    /// - Complexity: O(bytes), about a nanosecond for each ten.
    package func pack(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var output = PackedOutput(buffer)
        output.number(Tag.id, self.id)
        output.timestamp(Tag.createdDate, self.createdDate, Tag.seconds, Tag.nanoseconds)
        output.timestamp(Tag.updatedDate, self.updatedDate, Tag.seconds, Tag.nanoseconds)
        output.text(Tag.deviceSerial, self.serial)
        output.text(Tag.ownerRef, self.ownerRef)
        output.text(Tag.hardwareVersion, self.hardwareVersion)
        if let lastSeen = self.lastSeen {
            output.timestamp(Tag.lastSeen, lastSeen, Tag.seconds, Tag.nanoseconds)
        }
        if let release = self.release {
            output.byte(Tag.lastSeenRelease)
            output.varint(UInt64(release.packedByteCount))
            output.number(Tag.id, release.id)
            output.text(Tag.first, release.version)
            output.text(Tag.second, release.revision)
        }
        output.byte(Tag.cohort)
        output.varint(UInt64(self.cohort.packedByteCount))
        output.number(Tag.id, self.cohort.id)
        output.text(Tag.first, self.cohort.name)
        output.text(Tag.second, self.cohort.slug)
        output.byte(Tag.etag)
        output.varint(UInt64(self.etag.textByteCount))
        output.advance(self.etag.write(into: output.rest))
        return output.byteCount
    }
}

extension DeviceSource.Release {
    fileprivate var packedByteCount: Int {
        PackedSize.number(self.id) + PackedSize.text(self.version.count) + PackedSize.text(self.revision.count)
    }
}

extension DeviceSource.Cohort {
    fileprivate var packedByteCount: Int {
        PackedSize.number(self.id) + PackedSize.text(self.name.count) + PackedSize.text(self.slug.count)
    }
}

/// How long fields are whose number is below 16, so that a tag is one byte. A zero and an empty text are left out.
private enum PackedSize {
    @inline(__always)
    static func varint(_ value: UInt64) -> Int {
        // Seven bits a byte; zero takes one.
        (70 - (value | 1).leadingZeroBitCount) / 7
    }

    @inline(__always)
    static func number(_ value: Int64) -> Int {
        value == 0 ? 0 : 1 + Self.varint(UInt64(bitPattern: value))
    }

    @inline(__always)
    static func text(_ byteCount: Int) -> Int {
        byteCount == 0 ? 0 : Self.message(byteCount)
    }

    @inline(__always)
    static func message(_ byteCount: Int) -> Int {
        1 + Self.varint(UInt64(byteCount)) + byteCount
    }
}

/// Writes fields one after another.
///
/// Invariant: `next` is at most the end of `buffer`. Whoever writes has made room for everything; debug builds check it.
private struct PackedOutput {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var byteCount = 0

    @inline(__always)
    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    /// What has not been written yet.
    var rest: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: self.buffer[self.byteCount...])
    }

    @inline(__always)
    mutating func advance(_ byteCount: Int) {
        self.byteCount += byteCount
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        self.buffer[self.byteCount] = value
        self.byteCount += 1
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func number(_ tag: UInt8, _ value: Int64) {
        guard value != 0 else { return }
        self.byte(tag)
        self.varint(UInt64(bitPattern: value))
    }

    @inline(__always)
    mutating func text(_ tag: UInt8, _ text: UnsafeRawBufferPointer) {
        guard text.count > 0 else { return }
        self.byte(tag)
        self.varint(UInt64(text.count))
        precondition(text.count <= self.buffer.count - self.byteCount, "A packed device has room for its texts.")
        UnsafeMutableRawBufferPointer(rebasing: self.buffer[self.byteCount...]).copyMemory(from: text)
        self.byteCount += text.count
    }

    @inline(__always)
    mutating func timestamp(_ tag: UInt8, _ time: Timestamp, _ secondsTag: UInt8, _ nanosecondsTag: UInt8) {
        self.byte(tag)
        let length = self.byteCount
        self.byte(0)
        self.number(secondsTag, time.seconds)
        self.number(nanosecondsTag, Int64(time.nanoseconds))
        self.buffer[length] = UInt8(self.byteCount - length - 1)
    }
}
