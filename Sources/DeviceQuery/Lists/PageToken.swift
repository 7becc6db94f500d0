// The cursor that a caller hands back for the next page.

internal import DeviceModel
internal import FoundationEssentials

/// Where a page ended and in which list: the place of its last device, so that the next page begins after it whatever has come or
/// gone in between.
struct PageToken: Hashable {
    /// Of the list that the token belongs to: see ``fingerprint(_:_:in:of:)``.
    var fingerprint: UInt64
    /// The time that activity is counted from throughout the walk.
    var now: Timestamp
    var place: ListPlace

    private static let version: UInt8 = 2
    private static let checksumSeed: UInt64 = 0x726F_6C6C_6361_6C6C

    /// Why a text is not the token of a list.
    enum Refusal: Error {
        case garbled
        case ofAnotherList
    }
}

extension PageToken {
    /// Version, fingerprint, now, id, the values of the keys, checksum; numbers are little-endian. A value is a byte for its kind,
    /// then a number, or a text after its length.
    var text: String {
        let byteCount = 1 + 3 * 8 + self.place.values.reduce(0) { $0 + $1.tokenByteCount } + 8
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            var writer = ByteWriter(rest: UnsafeMutableRawBufferPointer(buffer))
            writer.write(Self.version)
            writer.write(self.fingerprint.littleEndian)
            writer.write(self.now.microseconds.littleEndian)
            writer.write(self.place.id.littleEndian)
            for value in self.place.values { writer.write(value) }
            let body = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<(byteCount - 8)])
            writer.write(StableHash.hash(body, seed: Self.checksumSeed).littleEndian)
            count = byteCount
        }
        return Base64URL.encode(bytes)
    }

    /// Reads a token of the list with this fingerprint and order.
    init(
        _ text: String, fingerprint: UInt64, order: SortOrder, in fleet: UnsafePointer<Fleet>
    ) throws(Refusal) {
        guard let bytes = Base64URL.decode(text), bytes.count > 8, bytes[0] == Self.version else { throw .garbled }
        let bodyCount = bytes.count - 8
        var trailer = ByteReader(bytes, from: bodyCount, to: bytes.count)
        let checksum = bytes.withUnsafeBytes { bytes in
            StableHash.hash(UnsafeRawBufferPointer(rebasing: bytes[..<bodyCount]), seed: Self.checksumSeed)
        }
        guard trailer.number() == checksum else { throw .garbled }
        var reader = ByteReader(bytes, from: 1, to: bodyCount)
        guard let actualFingerprint = reader.number() else { throw .garbled }
        guard actualFingerprint == fingerprint else { throw .ofAnotherList }
        guard let now = reader.number().flatMap({ Timestamp(microseconds: Int64(bitPattern: $0)) }),
            let id = reader.number()
        else { throw .garbled }
        var values: [SortValue] = []
        for key in order.keys {
            guard let value = reader.value(), key.source.admits(value, in: fleet) else { throw .garbled }
            values.append(value)
        }
        guard reader.isAtEnd else { throw .garbled }
        self.fingerprint = fingerprint
        self.now = now
        self.place = ListPlace(values: values, id: Int64(bitPattern: id))
    }

    /// A number for store, project, filter and order. The order of a filter's values does not matter, nor does the size of pages.
    static func fingerprint(
        _ filter: DeviceFilter, _ sort: [SortKey], in project: ProjectID, of storeID: UUID
    ) -> UInt64 {
        var hash = StableHash(seed: Self.checksumSeed)
        withUnsafeBytes(of: storeID.uuid) { hash.combine($0) }
        hash.combine(UInt64(bitPattern: project.rawValue))
        // As SortOrder has it: what comes after a unique key changes nothing, and the id decides at the end in any case.
        var isIDDescending = false
        for key in sort {
            isIDDescending = key.isDescending
            if key.field == .id { break }
            hash.combine(key.isDescending ? 1 : 0)
            key.field.name.withBytes { hash.combine($0) }
            if key.field == .deviceSerial { break }
        }
        hash.combine(isIDDescending ? 1 : 0)
        hash.combine(filter.releases)
        hash.combine(filter.ownerRefs)
        hash.combine(filter.hardwareVersions)
        hash.combine(filter.cohorts)
        hash.combine(filter.deviceSerials)
        hash.combine(filter.lastSeenSince?.microseconds)
        hash.combine(filter.lastSeenUntil?.microseconds)
        hash.combine(filter.activityWindowMicroseconds)
        hash.combine(UInt64(filter.activity?.rawValue ?? 0))
        filter.expression.withBytes { hash.combine($0) }
        return hash.value
    }
}

extension StableHash {
    /// Values in any order: a sum does not depend on the order of what is added.
    fileprivate mutating func combine(_ values: [String]) {
        self.combine(UInt64(values.count))
        self.combine(values.reduce(0) { sum, value in sum &+ value.withBytes { Self.hash($0, seed: 1) } })
    }

    fileprivate mutating func combine(_ bound: Int64?) {
        self.combine(bound == nil ? 0 : 1)
        self.combine(UInt64(bitPattern: bound ?? 0))
    }
}

extension SortValue {
    /// What it takes in a token.
    fileprivate var tokenByteCount: Int {
        switch self {
        case .none: 1
        case .number: 1 + 8
        case .text(let text): 1 + 2 + text.count
        }
    }
}

/// Writes to a buffer that has room for everything.
private struct ByteWriter {
    var rest: UnsafeMutableRawBufferPointer

    mutating func write(_ number: some FixedWidthInteger & BitwiseCopyable) {
        self.rest.storeBytes(of: number, as: type(of: number))
        self.rest = UnsafeMutableRawBufferPointer(rebasing: self.rest[(number.bitWidth / 8)...])
    }

    mutating func write(_ value: SortValue) {
        switch value {
        case .none:
            self.write(0 as UInt8)
        case .number(let number):
            self.write(1 as UInt8)
            self.write(number.littleEndian)
        case .text(let text):
            self.write(2 as UInt8)
            self.write(UInt16(truncatingIfNeeded: text.count).littleEndian)
            self.rest.copyBytes(from: text)
            self.rest = UnsafeMutableRawBufferPointer(rebasing: self.rest[text.count...])
        }
    }
}

private struct ByteReader {
    private let bytes: [UInt8]
    private var place: Int
    private let end: Int

    init(_ bytes: [UInt8], from start: Int, to end: Int) {
        self.bytes = bytes
        self.place = start
        self.end = end
    }

    var isAtEnd: Bool { self.place == self.end }

    /// Moves on by so many bytes and tells where they begin, if there are as many.
    private mutating func advance(by count: Int) -> Int? {
        guard self.end - self.place >= count else { return nil }
        defer { self.place += count }
        return self.place
    }

    mutating func number() -> UInt64? {
        self.advance(by: 8).map { start in
            self.bytes.withUnsafeBytes {
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
        }
    }

    mutating func value() -> SortValue? {
        switch self.advance(by: 1).map({ self.bytes[$0] }) {
        case 0: SortValue.none
        case 1: self.number().map { .number(Int64(bitPattern: $0)) }
        case 2: self.text().map(SortValue.text)
        default: nil
        }
    }

    private mutating func text() -> [UInt8]? {
        guard let length = self.advance(by: 2) else { return nil }
        let count = Int(self.bytes[length]) | Int(self.bytes[length + 1]) << 8
        return self.advance(by: count).map { Array(self.bytes[$0..<($0 + count)]) }
    }
}
