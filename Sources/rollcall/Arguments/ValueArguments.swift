// Values that command lines spell: times, spans, sort keys, request ids.

public import ArgumentParser
public import DeviceModel
internal import FoundationEssentials

extension Timestamp {
    /// Reads an RFC 3339 time.
    ///
    /// - Throws: `ValidationError` that shows what one looks like.
    static func argument(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(rfc3339: text) else {
            throw ValidationError("'\(text)' is not a time; write 2019-01-19T05:01:13Z, or an offset for the Z.")
        }
        return time
    }
}

/// A span of time on a command line, such as `90s`, `30m`, `24h` or `7d`; a number alone counts seconds.
struct Span: ExpressibleByArgument, Hashable, Sendable {
    let microseconds: Int64

    init?(argument: String) {
        let digits = argument.prefix { ("0"..."9").contains($0) }
        let secondsPerUnit: Int64
        switch argument[digits.endIndex...] {
        case "", "s": secondsPerUnit = 1
        case "m": secondsPerUnit = 60
        case "h": secondsPerUnit = 3_600
        case "d": secondsPerUnit = 86_400
        default: return nil
        }
        guard let count = Int64(digits), count > 0 else { return nil }
        let (microseconds, overflow) = count.multipliedReportingOverflow(by: secondsPerUnit * 1_000_000)
        guard !overflow else { return nil }
        self.microseconds = microseconds
    }
}

extension Activity: ExpressibleByArgument {
    /// Reads the name in lower case.
    public init?(argument: String) {
        guard let activity = Self.allCases.first(where: { $0.name == argument.lowercased() }) else { return nil }
        self = activity
    }

    public static var allValueStrings: [String] { Self.allCases.map(\.name) }

    /// As command lines and outputs spell it.
    var name: String {
        switch self {
        case .pending: "pending"
        case .active: "active"
        case .inactive: "inactive"
        }
    }
}

extension DeviceView: ExpressibleByArgument {
    /// Reads `basic` or `full`.
    public init?(argument: String) {
        switch argument.lowercased() {
        case "basic": self = .basic
        case "full": self = .full
        default: return nil
        }
    }

    public static var allValueStrings: [String] { ["basic", "full"] }

    public var defaultValueDescription: String { self == .full ? "full" : "basic" }
}

extension SortKey {
    /// Reads comma-separated sort keys.
    ///
    /// - Throws: `ValidationError` that names the unknown key and lists the known ones.
    static func argument(_ text: String) throws -> [SortKey] {
        do throws(InvalidFields) {
            return try Self.parse(text, field: "sort")
        } catch {
            throw ValidationError(
                error.violations.map { "\($0.field) \($0.description)" }.joined(separator: "; ") + ".")
        }
    }
}

extension UUID {
    /// Reads a request id.
    ///
    /// - Throws: `ValidationError` that says what one is.
    static func argument(_ text: String) throws -> UUID {
        guard let id = UUID(uuidString: text) else {
            throw ValidationError("'\(text)' is not a UUID, such as uuidgen prints.")
        }
        return id
    }
}
