// Comma-separated values as RFC 4180 has them, read a record at a time from bytes that come in pieces.

/// A record of a CSV file, its fields unquoted.
package struct CSVRecord: Sendable {
    /// The line on which it begins, from 1.
    package fileprivate(set) var line = 0
    /// What is wrong with its quotes, if anything; its fields are then void.
    package fileprivate(set) var fault: String?
    fileprivate var bytes: [UInt8] = []
    /// Where each field ends in ``bytes``.
    fileprivate var ends: [Int] = []
    fileprivate var quoted: [Bool] = []

    package init() {}

    package var fieldCount: Int { self.ends.count }

    /// The bytes of a field.
    package subscript(index: Int) -> ArraySlice<UInt8> {
        self.bytes[(index == 0 ? 0 : self.ends[index - 1])..<self.ends[index]]
    }

    /// Whether a field stood in quotes, which tells an empty text from none.
    package func isQuoted(_ index: Int) -> Bool { self.quoted[index] }

    /// Whether it is an empty line.
    package var isBlank: Bool { self.ends.count == 1 && self.bytes.isEmpty && !self.quoted[0] }

    fileprivate mutating func removeAll() {
        self.fault = nil
        self.bytes.removeAll(keepingCapacity: true)
        self.ends.removeAll(keepingCapacity: true)
        self.quoted.removeAll(keepingCapacity: true)
    }

    fileprivate mutating func endField(isQuoted: Bool) {
        self.ends.append(self.bytes.count)
        self.quoted.append(isQuoted)
    }
}

/// Why a CSV file cannot be read any further.
package struct CSVError: Error, Hashable, Sendable {
    /// From 1.
    package var line: Int
    /// A sentence.
    package var message: String
}

/// Cuts bytes into records.
///
/// Lines end in LF or CR LF. A quote within an unquoted field, and text after a closing quote, make the record faulty; it then ends
/// with its line. What was read is dropped, so that no more is held than the longest record and the last piece of the file.
///
/// - Complexity: O(bytes), about a nanosecond each.
package struct CSVReader: Sendable {
    /// The longest record, in bytes.
    package static let recordByteCountMax = 4 << 20

    private var bytes: [UInt8] = []
    private var index = 0
    private var isFinished = false
    /// The line that the next record begins on.
    private var line = 1

    package init() {}

    /// Takes more of the file; a mark at its front that says UTF-8 is for the caller to skip.
    package mutating func append(_ bytes: some Collection<UInt8>) {
        self.bytes.removeFirst(self.index)
        self.index = 0
        self.bytes.append(contentsOf: bytes)
    }

    /// No bytes follow.
    package mutating func finish() {
        self.isFinished = true
    }

    /// Reads the next record; false where its end has not come yet, and at the end of the file.
    ///
    /// - Throws: ``CSVError`` where a quote is never closed, or a record is too long.
    package mutating func next(_ record: inout CSVRecord) throws(CSVError) -> Bool {
        record.removeAll()
        record.line = self.line
        let step = self.bytes.withUnsafeBufferPointer { bytes in
            var cursor = Cursor(bytes: bytes, index: self.index, line: self.line, isFinished: self.isFinished)
            let isWhole = cursor.readRecord(into: &record)
            return (isWhole: isWhole, cursor.index, cursor.line, openLine: cursor.openQuoteLine)
        }
        guard step.isWhole else {
            let rest = self.bytes.count - self.index
            if self.isFinished, let line = step.openLine {
                throw CSVError(line: line, message: "A quote is opened and never closed.")
            }
            guard rest <= Self.recordByteCountMax else {
                throw CSVError(
                    line: step.openLine ?? self.line,
                    message: step.openLine == nil
                        ? "The line is longer than \(Self.recordByteCountMax) bytes."
                        : "A quote is opened and not closed within \(Self.recordByteCountMax) bytes.")
            }
            return false
        }
        self.index = step.1
        self.line = step.2
        return true
    }
}

/// A place in bytes that are being cut up.
private struct Cursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var index: Int
    var line: Int
    let isFinished: Bool
    /// Where a quote was opened that is not closed.
    var openQuoteLine: Int?

    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Whether the record's end was there.
    mutating func readRecord(into record: inout CSVRecord) -> Bool {
        guard self.index < self.bytes.count else { return false }
        while true {
            let isQuoted = self.index < self.bytes.count && self.bytes[self.index] == Self.quote
            if isQuoted {
                guard self.readQuoted(into: &record) else { return false }
            } else {
                self.readPlain(into: &record)
            }
            record.endField(isQuoted: isQuoted)
            guard self.index < self.bytes.count else { return self.isFinished }
            switch self.bytes[self.index] {
            case Self.comma:
                self.index += 1
            case Self.lineFeed:
                self.index += 1
                self.line += 1
                return true
            case Self.carriageReturn:
                guard self.index + 1 < self.bytes.count || self.isFinished else { return false }
                guard self.index + 1 < self.bytes.count, self.bytes[self.index + 1] != Self.lineFeed else {
                    self.index = min(self.index + 2, self.bytes.count)
                    self.line += 1
                    return true
                }
                record.fault = "a carriage return stands within a field; put the field in quotes"
                return self.skipLine()
            default:
                record.fault =
                    isQuoted
                    ? "text follows a closing quote; a quote within quotes is written twice"
                    : "a quote stands within a field that does not begin with one; put the field in quotes, and write the quote twice"
                return self.skipLine()
            }
        }
    }

    /// Copies up to the next comma, line end or quote.
    private mutating func readPlain(into record: inout CSVRecord) {
        let start = self.index
        while self.index < self.bytes.count {
            let byte = self.bytes[self.index]
            // Everything that ends a field is at most a comma.
            if byte <= Self.comma,
                byte == Self.comma || byte == Self.lineFeed || byte == Self.carriageReturn || byte == Self.quote
            {
                break
            }
            self.index += 1
        }
        record.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: self.bytes[start..<self.index]))
    }

    /// Copies what stands in quotes; false where they are not closed.
    private mutating func readQuoted(into record: inout CSVRecord) -> Bool {
        self.openQuoteLine = self.line
        self.index += 1
        while true {
            let start = self.index
            while self.index < self.bytes.count, self.bytes[self.index] != Self.quote {
                if self.bytes[self.index] == Self.lineFeed { self.line += 1 }
                self.index += 1
            }
            record.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: self.bytes[start..<self.index]))
            guard self.index < self.bytes.count else { return false }
            self.index += 1
            guard self.index < self.bytes.count else {
                // The quote may be the first of two.
                guard self.isFinished else { return false }
                break
            }
            guard self.bytes[self.index] == Self.quote else { break }
            record.bytes.append(Self.quote)
            self.index += 1
        }
        self.openQuoteLine = nil
        return true
    }

    /// Goes on to the next line; whether its end was there.
    private mutating func skipLine() -> Bool {
        while self.index < self.bytes.count {
            self.index += 1
            if self.bytes[self.index - 1] == Self.lineFeed {
                self.line += 1
                return true
            }
        }
        return self.isFinished
    }
}
