// The formats of `--output`.

internal import ArgumentParser

/// How results are written.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Aligned columns, for people.
    case table
    /// The Devices API's envelope: indented on a terminal, else on one line.
    case json
    /// One JSON object a line, without an envelope.
    case ndjson
    /// RFC 4180, with a header line.
    case csv
}
