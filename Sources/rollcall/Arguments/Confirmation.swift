// Asking a person before what cannot be undone.

/// A person said no.
struct Declined: Error, CustomStringConvertible {
    var description: String { "Nothing was deleted." }
}

enum Confirmation {
    /// Asks a question at the terminal; whatever is not a yes is a no.
    static func isGiven(to question: String, _ words: Output) async throws -> Bool {
        try words.write(question)
        // A terminal gives a line at a time.
        let answer = try await StandardInput.read()
        return Self.isYes(String(decoding: answer ?? [], as: UTF8.self))
    }

    /// Whether an answer is `y` or `yes`, in any case.
    static func isYes(_ answer: String) -> Bool {
        let word = answer.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return ["y", "yes"].contains(word.lowercased())
    }
}
