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

    private static let version: UInt8 = 3
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
        var byteCount = 1 + 3 * 8 + 8 + (self.place.firstValue?.tokenByteCount ?? 0)
        for value in self.place.otherValues { byteCount += value.tokenByteCount }
        return withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 1) { buffer in
            var writer = ByteWriter(rest: buffer)
            writer.write(Self.version)
            writer.write(self.fingerprint.littleEndian)
            writer.write(self.now.microseconds.littleEndian)
            writer.write(self.place.id.littleEndian)
            if let value = self.place.firstValue { writer.write(value) }
            for value in self.place.otherValues { writer.write(value) }
            let bytes = UnsafeRawBufferPointer(buffer)
            let body = UnsafeRawBufferPointer(rebasing: bytes[..<(byteCount - 8)])
            writer.write(StableHash.hash(body, seed: Self.checksumSeed).littleEndian)
            return Base64URL.encode(bytes)
        }
    }

    /// Reads a token of the list with this fingerprint and order.
    init(
        _ text: String, fingerprint: UInt64, order: SortOrder, in fleet: UnsafePointer<Fleet>
    ) throws(Refusal) {
        let byteCount = Base64URL.byteCountMax(text)
        let outcome = withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 1) {
            buffer -> Result<PageToken, Refusal> in
            guard let count = Base64URL.decode(text, into: buffer) else { return .failure(.garbled) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            return Self.read(bytes, fingerprint: fingerprint, order, fleet)
        }
        self = try outcome.get()
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer, fingerprint: UInt64, _ order: SortOrder, _ fleet: UnsafePointer<Fleet>
    ) -> Result<PageToken, Refusal> {
        guard bytes.count > 8, bytes[0] == Self.version else { return .failure(.garbled) }
        let body = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 8)])
        var trailer = ByteReader(rest: UnsafeRawBufferPointer(rebasing: bytes[body.count...]))
        guard trailer.number() == StableHash.hash(body, seed: Self.checksumSeed) else { return .failure(.garbled) }
        var reader = ByteReader(rest: UnsafeRawBufferPointer(rebasing: body[1...]))
        guard let actualFingerprint = reader.number() else { return .failure(.garbled) }
        guard actualFingerprint == fingerprint else { return .failure(.ofAnotherList) }
        guard let now = reader.number().flatMap({ Timestamp(microseconds: Int64(bitPattern: $0)) }),
            let id = reader.number()
        else { return .failure(.garbled) }
        var place = ListPlace(id: Int64(bitPattern: id))
        if let key = order.firstKey {
            guard let value = reader.value(), key.source.admits(value, in: fleet) else { return .failure(.garbled) }
            place.firstValue = value
        }
        for key in order.otherKeys {
            guard let value = reader.value(), key.source.admits(value, in: fleet) else { return .failure(.garbled) }
            place.otherValues.append(value)
        }
        guard reader.rest.isEmpty else { return .failure(.garbled) }
        return .success(PageToken(fingerprint: fingerprint, now: now, place: place))
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
            if case .id = key.field { break }
            hash.combine(key.isDescending ? 1 : 0)
            key.field.name.withBytes { hash.combine($0) }
            if case .deviceSerial = key.field { break }
        }
        hash.combine(isIDDescending ? 1 : 0)
        // What is not asked adds nothing.
        if filter.asksNothing { return hash.value }
        hash.combine(filter.releases, 1)
        hash.combine(filter.ownerRefs, 2)
        hash.combine(filter.hardwareVersions, 3)
        hash.combine(filter.cohorts, 4)
        hash.combine(filter.deviceSerials, 5)
        hash.combine(filter.lastSeenSince?.microseconds, 6)
        hash.combine(filter.lastSeenUntil?.microseconds, 7)
        hash.combine(filter.activityWindowMicroseconds, 8)
        hash.combine((filter.activity?.rawValue).map(Int64.init), 9)
        guard !filter.expression.isEmpty else { return hash.value }
        hash.combine(10)
        filter.expression.withBytes { hash.combine($0) }
        return hash.value
    }
}

extension StableHash {
    /// Values of a field in any order: a sum does not depend on the order of what is added.
    @inline(__always)
    fileprivate mutating func combine(_ values: [String], _ field: UInt64) {
        if !values.isEmpty { self.combineSum(values, field) }
    }

    private mutating func combineSum(_ values: [String], _ field: UInt64) {
        self.combine(field)
        self.combine(UInt64(values.count))
        self.combine(values.reduce(0) { sum, value in sum &+ value.withBytes { Self.hash($0, seed: 1) } })
    }

    fileprivate mutating func combine(_ bound: Int64?, _ field: UInt64) {
        guard let bound else { return }
        self.combine(field)
        self.combine(UInt64(bitPattern: bound))
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
    private(set) var rest: UnsafeRawBufferPointer

    init(rest: UnsafeRawBufferPointer) {
        self.rest = rest
    }

    /// Moves on by so many bytes and gives them, if there are as many.
    private mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard self.rest.count >= count else { return nil }
        defer { self.rest = UnsafeRawBufferPointer(rebasing: self.rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: self.rest[..<count])
    }

    mutating func number() -> UInt64? {
        self.bytes(8).map { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    mutating func value() -> SortValue? {
        switch self.bytes(1)?[0] {
        case 0: SortValue.none
        case 1: self.number().map { .number(Int64(bitPattern: $0)) }
        case 2: self.text().map(SortValue.text)
        default: nil
        }
    }

    private mutating func text() -> [UInt8]? {
        guard let length = self.bytes(2) else { return nil }
        return self.bytes(Int(length[0]) | Int(length[1]) << 8).map(Array.init)
    }
}
