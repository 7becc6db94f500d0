// Why a text is no filter.

internal import DeviceModel

/// What is wrong with a filter.
struct FilterFault: Error {
    private let finding: String
    /// Where it stands, in bytes of UTF-8; nil where it is the whole text.
    private let offset: Int?
    private let advice: String

    init(_ finding: String, at offset: Int?, _ advice: String) {
        self.finding = finding
        self.offset = offset
        self.advice = advice
    }

    /// A sentence that counts as callers do: in Unicode scalars, from 1.
    func violation(in text: String) -> InvalidFields {
        let place = self.offset.map { offset in
            " at \(1 + text.utf8.prefix(offset).count { !UTF8.isContinuation($0) })"
        }
        return InvalidFields("filter", "\(self.finding)\(place ?? ""); \(self.advice)")
    }
}

extension FilterFault {
    static func function(_ name: String, at offset: Int) -> FilterFault {
        FilterFault(
            "calls the function \(quoted(name))", at: offset,
            "there are none: write a field, an operator and a value, as in owner_ref = depot-7")
    }
}
