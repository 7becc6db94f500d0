// VALUE of `KEY=VALUE` on a command line.

internal import DeviceModel
internal import JSONText

extension AttributeValue {
    /// Reads a JSON scalar other than null; any other text stands for itself.
    ///
    /// A number without fraction and exponent is an INT where it fits into 64 bits, else a FLOAT.
    init(argument text: String) {
        self = Self(scalar: text) ?? .string(text)
    }

    private init?(scalar text: String) {
        // White space around a value, which a reader of JSON skips, belongs to a text.
        guard text.first?.isWhitespace == false, text.last?.isWhitespace == false,
            let node = try? JSONReader.read(text.utf8)
        else { return nil }
        switch node.value {
        case .bool(let value):
            self = .bool(value)
        case .string(let value):
            self = .string(value)
        case .number(let digits):
            if !digits.contains(where: { ".eE".contains($0) }), let integer = Int64(digits) {
                self = .int(integer)
            } else if let number = Double(digits), number.isFinite {
                self = .float(number)
            } else {
                return nil
            }
        case .null, .array, .object:
            return nil
        }
    }
}
