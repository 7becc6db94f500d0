// Timestamp, Duration and FieldMask as JSON writes them.

internal import DeviceModel

/// The parts of a google.protobuf.Timestamp and their RFC 3339 text.
struct TimestampText {
    let seconds: Int64
    let nanos: Int32

    /// Nil outside of the years 1 to 9999.
    init?(seconds: Int64, nanos: Int32) {
        guard Timestamp(seconds: seconds, nanoseconds: nanos) != nil else { return nil }
        self.seconds = seconds
        self.nanos = nanos
    }

    /// Nil for what is no RFC 3339 date-time, or has more than nine digits of fraction.
    init?(_ text: String) {
        guard let time = Timestamp(rfc3339: text) else { return nil }
        let fraction = text.firstIndex(of: ".").map { text[$0...].dropFirst().prefix { $0.isASCII && $0.isNumber } }
        guard let nanos = (fraction ?? "").nanoseconds else { return nil }
        self.seconds = time.seconds
        self.nanos = nanos
    }

    /// Such as `2019-01-19T05:01:13Z`, with three, six or nine digits of fraction where there is one.
    var text: String {
        // The vocabulary's text has six digits of fraction and a numeric offset, always.
        let date = Timestamp(seconds: self.seconds, nanoseconds: 0)?.description ?? ""
        return "\(date.prefix(19))\(self.nanos.fraction)Z"
    }
}

/// The parts of a google.protobuf.Duration and their text.
struct DurationText {
    private static let secondsMax: Int64 = 315_576_000_000

    let seconds: Int64
    let nanos: Int32

    /// Nil beyond 10,000 years, and where the parts differ in sign.
    init?(seconds: Int64, nanos: Int32) {
        guard (-Self.secondsMax...Self.secondsMax).contains(seconds), (-999_999_999...999_999_999).contains(nanos),
            seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0)
        else { return nil }
        self.seconds = seconds
        self.nanos = nanos
    }

    /// Nil for what is no decimal number of seconds with an `s`.
    init?(_ text: String) {
        var scanner = NumberScanner(rest: text.utf8[...])
        let isNegative = scanner.skip("-")
        let whole = scanner.digits()
        var fraction: [UInt8] = []
        if scanner.skip(".") {
            fraction = scanner.digits()
            guard !fraction.isEmpty else { return nil }
        }
        guard scanner.skip("s"), scanner.rest.isEmpty, let seconds = Int64(String(decoding: whole, as: UTF8.self)),
            let nanos = String(decoding: fraction, as: UTF8.self)[...].nanoseconds
        else { return nil }
        let sign: Int32 = isNegative ? -1 : 1
        self.init(seconds: seconds * Int64(sign), nanos: nanos * sign)
    }

    /// Such as `-1.500s`, with three, six or nine digits of fraction where there is one.
    var text: String {
        "\(self.seconds < 0 || self.nanos < 0 ? "-" : "")\(self.seconds.magnitude)\(self.nanos.fraction)s"
    }
}

/// A path of a google.protobuf.FieldMask, which JSON has in camelCase.
struct FieldMaskPath {
    /// As the message has it, such as `device.owner_ref`.
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// A path in camelCase; one with underscores stays as it is.
    init(json: Substring) {
        self.text = json.reduce(into: "") { text, letter in
            text += letter.isASCII && letter.isUppercase ? "_\(letter.lowercased())" : String(letter)
        }
    }

    /// The path in camelCase; nil where that could not be read back.
    var json: String? {
        var path = ""
        var isAfterUnderscore = false
        for letter in self.text {
            if letter == "_" {
                guard !isAfterUnderscore else { return nil }
                isAfterUnderscore = true
            } else {
                path += isAfterUnderscore ? letter.uppercased() : String(letter)
                isAfterUnderscore = false
            }
        }
        guard !isAfterUnderscore, !path.isEmpty, !path.contains(","), FieldMaskPath(json: path[...]).text == self.text
        else { return nil }
        return path
    }
}

extension Substring {
    /// Digits after a point as nanoseconds; nil where there are more than nine.
    fileprivate var nanoseconds: Int32? {
        guard self.utf8.count <= 9 else { return nil }
        return Int32(self + String(repeating: "0", count: 9 - self.utf8.count))
    }
}

extension Int32 {
    /// Nanoseconds as a point and three, six or nine digits; nothing for zero.
    fileprivate var fraction: String {
        guard self != 0 else { return "" }
        let digits = String(self.magnitude)
        var text = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while text.hasSuffix("000") {
            text.removeLast(3)
        }
        return ".\(text)"
    }
}
