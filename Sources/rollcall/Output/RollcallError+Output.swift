// A failed call, for people and for programs.

internal import JSONText
internal import RollcallClient

extension RollcallError {
    /// The Devices API's envelope of an error.
    var json: JSON {
        .object([
            (
                "error",
                .object([
                    ("code", .string(self.code.description)),
                    ("http_code", .int(Int64(self.code.httpStatus))),
                    ("message", self.messageJSON),
                    ("type", .text(self.reason)),
                ])
            )
        ])
    }

    /// A sentence, or where fields are bad an object of field to list of sentences, both in the server's order.
    private var messageJSON: JSON {
        guard !self.violations.isEmpty else { return .string(self.message) }
        var members: [(name: String, value: [JSON])] = []
        for violation in self.violations {
            if let index = members.firstIndex(where: { $0.name == violation.field }) {
                members[index].value.append(.string(violation.description))
            } else {
                members.append((violation.field, [.string(violation.description)]))
            }
        }
        return .object(members.map { ($0.name, .array($0.value)) })
    }

    /// Lines for a terminal: the sentence, then every bad field.
    var sentences: String {
        var lines = ["rollcall: \(self.message)"]
        for violation in self.violations where !self.message.contains(violation.description) {
            lines.append("  \(violation.field) \(violation.description)")
        }
        return lines.map { $0.visible + "\n" }.joined()
    }
}
