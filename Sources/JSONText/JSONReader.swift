// From text to JSON, by RFC 8259 and nothing beyond it.

/// Reads one JSON value.
package struct JSONReader {
    /// Deepest nesting of arrays and objects.
    package static let depthMax = 64

    private let bytes: [UInt8]
    private var index = 0
    private var position: JSONPosition

    private init(_ bytes: [UInt8], from position: JSONPosition) {
        self.bytes = bytes
        self.position = position
    }

    /// Reads a text that is one value, with white space around it.
    ///
    /// - Parameter position: Where the text begins in what errors are to count by.
    /// - Throws: ``JSONError`` at the first byte that does not belong there.
    /// - Complexity: O(count of bytes).
    package static func read(
        _ text: some Sequence<UInt8>, from position: JSONPosition = JSONPosition()
    ) throws(JSONError) -> JSONNode {
        var reader = JSONReader(Array(text), from: position)
        guard String(validating: reader.bytes, as: UTF8.self) != nil else {
            throw JSONError("The text is not valid UTF-8.", at: position)
        }
        reader.skipSpace()
        let node = try reader.node(depth: 0)
        reader.skipSpace()
        guard reader.current == nil else {
            throw reader.error("Nothing may follow the value.")
        }
        return node
    }

    // MARK: Bytes

    private var current: UInt8? {
        self.index < self.bytes.count ? self.bytes[self.index] : nil
    }

    private mutating func step() {
        self.position.advance(over: self.bytes[self.index])
        self.index += 1
    }

    private mutating func skip(_ byte: Unicode.Scalar) -> Bool {
        guard let current, current == UInt8(ascii: byte) else { return false }
        self.step()
        return true
    }

    private mutating func skipSpace() {
        while let current, current.isJSONSpace {
            self.step()
        }
    }

    private func error(_ message: String) -> JSONError {
        JSONError(message, at: self.position)
    }

    // MARK: Values

    private mutating func node(depth: Int) throws(JSONError) -> JSONNode {
        let start = self.position
        return JSONNode(try self.value(depth: depth), at: start)
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONNode.Value {
        guard let current else { throw self.error("The text ends where a value is due.") }
        switch current {
        case UInt8(ascii: "{"):
            return .object(try self.members(depth: depth + 1))
        case UInt8(ascii: "["):
            return .array(try self.elements(depth: depth + 1))
        case UInt8(ascii: "\""):
            return .string(try self.string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try self.number())
        default:
            return try self.word()
        }
    }

    private mutating func word() throws(JSONError) -> JSONNode.Value {
        let words: KeyValuePairs<String, JSONNode.Value> = ["null": .null, "true": .bool(true), "false": .bool(false)]
        let letters = self.bytes[self.index...].prefix { UnicodeScalar($0).properties.isAlphabetic }
        for (word, value) in words where letters.elementsEqual(word.utf8) {
            for _ in word.utf8 {
                self.step()
            }
            return value
        }
        throw self.error("A value is due: an object, array, string, number, true, false or null.")
    }

    private mutating func members(depth: Int) throws(JSONError) -> [JSONNode.Member] {
        try self.checkDepth(depth)
        self.step()
        var members: [JSONNode.Member] = []
        self.skipSpace()
        guard !self.skip("}") else { return members }
        while true {
            self.skipSpace()
            guard self.current == UInt8(ascii: "\"") else {
                throw self.error("A member's name in double quotes is due.")
            }
            let position = self.position
            let name = try self.string()
            self.skipSpace()
            guard self.skip(":") else {
                throw self.error("A colon is due after a member's name.")
            }
            self.skipSpace()
            members.append(JSONNode.Member(name: name, position: position, value: try self.node(depth: depth)))
            self.skipSpace()
            if self.skip("}") { return members }
            guard self.skip(",") else {
                throw self.error("A comma or the object's closing brace is due.")
            }
        }
    }

    private mutating func elements(depth: Int) throws(JSONError) -> [JSONNode] {
        try self.checkDepth(depth)
        self.step()
        var elements: [JSONNode] = []
        self.skipSpace()
        guard !self.skip("]") else { return elements }
        while true {
            self.skipSpace()
            elements.append(try self.node(depth: depth))
            self.skipSpace()
            if self.skip("]") { return elements }
            guard self.skip(",") else {
                throw self.error("A comma or the array's closing bracket is due.")
            }
        }
    }

    private func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth <= Self.depthMax else {
            throw self.error("Values are nested more than \(Self.depthMax) deep.")
        }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = self.index
        _ = self.skip("-")
        if !self.skip("0") {
            try self.digits()
        }
        if self.skip(".") {
            try self.digits()
        }
        if self.skip("e") || self.skip("E") {
            _ = self.skip("+") || self.skip("-")
            try self.digits()
        }
        return String(decoding: self.bytes[start..<self.index], as: UTF8.self)
    }

    /// One digit or more.
    private mutating func digits() throws(JSONError) {
        let start = self.index
        while let current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) {
            self.step()
        }
        guard self.index > start else {
            throw self.error("A digit is due.")
        }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = self.position
        self.step()
        var text: [UInt8] = []
        while let current {
            switch current {
            case UInt8(ascii: "\""):
                self.step()
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text += Array(String(Character(try self.escaped())).utf8)
            case 0..<0x20:
                throw self.error("A control character stands in a string; write it as \\u and four digits.")
            default:
                text.append(current)
                self.step()
            }
        }
        throw JSONError("The string does not end.", at: start)
    }

    private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
        let start = self.position
        self.step()
        guard let current else { throw JSONError("The string does not end.", at: start) }
        self.step()
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(current)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try self.codePoint(start)
        default: throw JSONError("There is no such escape in a string.", at: start)
        }
    }

    /// What `\u` stands for, with a second one where the first is half of a pair.
    private mutating func codePoint(_ start: JSONPosition) throws(JSONError) -> Unicode.Scalar {
        let unit = try self.hexDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        if UTF16.isLeadSurrogate(unit), self.skip("\\"), self.skip("u") {
            let trail = try self.hexDigits()
            if UTF16.isTrailSurrogate(trail) { return UTF16.decode(UTF16.EncodedScalar([unit, trail])) }
        }
        throw JSONError("The escape is half of a pair whose other half is missing.", at: start)
    }

    private mutating func hexDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let current, let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
                throw self.error("Four hexadecimal digits are due after \\u.")
            }
            value = value << 4 | UInt16(digit)
            self.step()
        }
        return value
    }
}

extension UInt8 {
    /// Whether it is white space in JSON.
    var isJSONSpace: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\n") || self == UInt8(ascii: "\r")
            || self == UInt8(ascii: "\t")
    }
}
