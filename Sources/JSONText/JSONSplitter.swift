// A stream of JSON values, cut apart before it has ended.

/// Finds where each value of a sequence begins and ends, in text that comes in pieces; newlines between values are not
/// needed, and within them do no harm.
///
/// It looks at brackets and quotes only: whether a piece is JSON is for the reader to say.
package struct JSONSplitter: Sendable {
    /// One value's text.
    package struct Piece: Hashable, Sendable {
        package let bytes: [UInt8]
        /// Where it begins.
        package let position: JSONPosition
    }

    /// Longest text of one value unless said otherwise: 32 MiB, in which 4 MiB fit that are all written as escapes.
    package static let byteCountMaxDefault = 32 << 20

    private let byteCountMax: Int
    private var position = JSONPosition()
    /// Where the value begins that is being read; nil between values.
    private var start: JSONPosition?
    private var bytes: [UInt8] = []
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// - Parameter byteCountMax: Longest text of one value, in bytes.
    package init(byteCountMax: Int = Self.byteCountMaxDefault) {
        self.byteCountMax = byteCountMax
    }

    /// Takes more text and gives the values that it completes.
    ///
    /// - Throws: ``JSONError`` where a value is too long.
    package mutating func append(_ text: some Sequence<UInt8>) throws(JSONError) -> [Piece] {
        var pieces: [Piece] = []
        for byte in text {
            if let piece = try self.append(byte) {
                pieces.append(piece)
            }
        }
        return pieces
    }

    /// Ends the text: what is left, which may be a value or the beginning of one; nil if there is none.
    package mutating func finish() -> Piece? {
        self.start.map { self.take(from: $0) }
    }

    private mutating func append(_ byte: UInt8) throws(JSONError) -> Piece? {
        defer { self.position.advance(over: byte) }
        guard let start else {
            if !byte.isJSONSpace {
                self.start = self.position
                return try self.append(byte, from: self.position)
            }
            return nil
        }
        return try self.append(byte, from: start)
    }

    private mutating func append(_ byte: UInt8, from start: JSONPosition) throws(JSONError) -> Piece? {
        // A number or a word ends with the space after it.
        if self.depth == 0, !self.isInString, byte.isJSONSpace {
            return self.take(from: start)
        }
        guard self.bytes.count < self.byteCountMax else {
            throw JSONError("The value is longer than \(self.byteCountMax) bytes.", at: start)
        }
        self.bytes.append(byte)
        if self.isInString {
            let isEnd = !self.isEscaped && byte == UInt8(ascii: "\"")
            self.isEscaped = !self.isEscaped && byte == UInt8(ascii: "\\")
            self.isInString = !isEnd
            return isEnd && self.depth == 0 ? self.take(from: start) : nil
        }
        switch byte {
        case UInt8(ascii: "\""):
            self.isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            self.depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            self.depth -= 1
            return self.depth <= 0 ? self.take(from: start) : nil
        default:
            break
        }
        return nil
    }

    private mutating func take(from start: JSONPosition) -> Piece {
        defer {
            self.start = nil
            self.bytes = []
            self.depth = 0
            self.isInString = false
            self.isEscaped = false
        }
        return Piece(bytes: self.bytes, position: start)
    }
}
