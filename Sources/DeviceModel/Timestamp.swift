// A moment in UTC, to the microsecond, and its RFC 3339 text.

/// Microseconds since 1970-01-01T00:00:00Z, within the range of google.protobuf.Timestamp (years 1 to 9999).
public struct Timestamp: Hashable, Comparable, BitwiseCopyable, Sendable {
    public let microseconds: Int64

    /// 0001-01-01T00:00:00Z.
    public static let min = Timestamp(unchecked: -62_135_596_800_000_000)
    /// 9999-12-31T23:59:59.999999Z.
    public static let max = Timestamp(unchecked: 253_402_300_799_999_999)
    /// 1970-01-01T00:00:00Z.
    public static let epoch = Timestamp(unchecked: 0)

    private init(unchecked microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Nil outside of ``min``...``max``.
    public init?(microseconds: Int64) {
        guard (Self.min.microseconds...Self.max.microseconds).contains(microseconds) else { return nil }
        self.microseconds = microseconds
    }

    /// From a protobuf Timestamp's parts, truncated to microseconds; nil where either part is out of its range.
    public init?(seconds: Int64, nanoseconds: Int32) {
        guard (0...999_999_999).contains(nanoseconds), (-62_135_596_800...253_402_300_799).contains(seconds) else {
            return nil
        }
        self.microseconds = seconds * 1_000_000 + Int64(nanoseconds / 1_000)
    }

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 {
        self.microseconds.floorDivision(by: 1_000_000)
    }

    /// The rest of the second, 0 to 999,999,000.
    public var nanoseconds: Int32 {
        Int32((self.microseconds - self.seconds * 1_000_000) * 1_000)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// This moment moved by `microseconds`, kept within the range.
    public func advanced(byMicroseconds microseconds: Int64) -> Timestamp {
        let (sum, overflow) = self.microseconds.addingReportingOverflow(microseconds)
        if overflow {
            return microseconds < 0 ? Self.min : Self.max
        }
        return Timestamp(unchecked: Swift.min(Swift.max(sum, Self.min.microseconds), Self.max.microseconds))
    }
}

// MARK: - RFC 3339

extension Timestamp: CustomStringConvertible {
    /// `2019-01-19T05:01:13.000000+00:00`: always six digits of fraction and a numeric offset.
    public var description: String {
        let days = self.seconds.floorDivision(by: 86_400)
        let secondOfDay = self.seconds - days * 86_400
        let date = CivilDate(daysSinceEpoch: days)
        var text = ""
        text.reserveCapacity(32)
        text.append(padded: date.year, to: 4)
        text.append("-")
        text.append(padded: date.month, to: 2)
        text.append("-")
        text.append(padded: date.day, to: 2)
        text.append("T")
        text.append(padded: secondOfDay / 3_600, to: 2)
        text.append(":")
        text.append(padded: secondOfDay / 60 % 60, to: 2)
        text.append(":")
        text.append(padded: secondOfDay % 60, to: 2)
        text.append(".")
        text.append(padded: Int64(self.nanoseconds) / 1_000, to: 6)
        text.append("+00:00")
        return text
    }

    /// Reads an RFC 3339 date-time with `Z` or a numeric offset; digits past the microsecond are dropped.
    ///
    /// A leap second (`:60`) is read as the first moment of the next minute. Nil for anything else.
    public init?(rfc3339 text: some StringProtocol) {
        // As bytes side by side: what reads them is then compiled for just that, however the text came.
        var text = String(text)
        guard let time = text.withUTF8({ Self(rfc3339: $0) }) else { return nil }
        self = time
    }

    private init?(rfc3339 text: UnsafeBufferPointer<UInt8>) {
        var scanner = DigitScanner(text)
        guard let year = scanner.digits(4), scanner.skip("-"),
            let month = scanner.digits(2), (1...12).contains(month), scanner.skip("-"),
            let day = scanner.digits(2), (1...CivilDate.dayCount(year: year, month: month)).contains(day),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.digits(2), hour < 24, scanner.skip(":"),
            let minute = scanner.digits(2), minute < 60, scanner.skip(":"),
            let second = scanner.digits(2), second <= 60
        else { return nil }
        var fraction: Int64 = 0
        if scanner.skip(".") {
            guard let microseconds = scanner.fraction() else { return nil }
            fraction = microseconds
        }
        guard let offset = scanner.offsetSeconds(), scanner.isAtEnd else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }
}

/// A date of the proleptic Gregorian calendar; conversions count days from 1 March of year 0 in 400-year eras.
private struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSinceEpoch days: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivision(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        self.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let shiftedYear = self.month <= 2 ? self.year - 1 : self.year
        let era = shiftedYear.floorDivision(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let monthFromMarch = self.month > 2 ? self.month - 3 : self.month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + self.day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func dayCount(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

private struct DigitScanner {
    private var rest: Slice<UnsafeBufferPointer<UInt8>>

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.rest = bytes[...]
    }

    var isAtEnd: Bool { self.rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = self.rest.first, UInt32(first) == character.value else { return false }
        self.rest.removeFirst()
        return true
    }

    mutating func digit() -> Int64? {
        guard let first = self.rest.first, (0x30...0x39).contains(first) else { return nil }
        self.rest.removeFirst()
        return Int64(first - 0x30)
    }

    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = self.digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// One or more digits after the point, as microseconds.
    mutating func fraction() -> Int64? {
        guard var value = self.digit() else { return nil }
        var count = 1
        while let digit = self.digit() {
            if count < 6 {
                value = value * 10 + digit
                count += 1
            }
        }
        while count < 6 {
            value *= 10
            count += 1
        }
        return value
    }

    mutating func offsetSeconds() -> Int64? {
        if self.skip("Z") || self.skip("z") { return 0 }
        let isWest = self.skip("-")
        guard isWest || self.skip("+"), let hours = self.digits(2), hours < 24, self.skip(":"),
            let minutes = self.digits(2), minutes < 60
        else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isWest ? -seconds : seconds
    }
}

extension Int64 {
    fileprivate func floorDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

extension String {
    fileprivate mutating func append(padded value: Int64, to width: Int) {
        let digits = String(value)
        for _ in 0..<Swift.max(0, width - digits.utf8.count) {
            self.append("0")
        }
        self.append(digits)
    }
}
