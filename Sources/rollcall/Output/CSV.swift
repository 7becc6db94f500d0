// Comma-separated values as RFC 4180 has them.

/// Writes records of a CSV file.
enum CSV {
    /// One record with its line break.
    static func record(_ fields: [String]) -> String {
        fields.map(Self.field).joined(separator: ",") + "\r\n"
    }

    /// The field, in quotes where it holds a comma, a quote or a line break, or blanks that a reader might trim.
    private static func field(_ text: String) -> String {
        // By scalar: as a Character, CR LF is neither of the two.
        let needsQuotes = text.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }
        guard needsQuotes || text.first == " " || text.last == " " else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" {
                quoted += "\"\""
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
