// Writing bytes one after another into memory that is known to have room for them.

internal import CRollcallProto
internal import JSONText
internal import ProtobufC

/// A place in a buffer that moves on with what is written there.
///
/// Nothing is checked on the way: whoever makes one has made room for all that will be written. An export writes some forty
/// pieces a device, and growing an array with each takes more than the pieces.
struct ByteCursor {
    private(set) var next: UnsafeMutablePointer<UInt8>

    init(_ start: UnsafeMutablePointer<UInt8>) {
        self.next = start
    }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        self.next.pointee = byte
        self.next += 1
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        self.next.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        self.next += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(self.next).copyMemory(from: start, byteCount: bytes.count)
        self.next += bytes.count
    }

    mutating func write(text: String) {
        var text = text
        text.withUTF8 { self.write(UnsafeRawBufferPointer($0)) }
    }

    mutating func write(_ number: Int64) {
        if number < 0 { self.write(UInt8(ascii: "-")) }
        var rest = number.magnitude
        var digitCount = 1
        while rest >= 10 {
            rest /= 10
            digitCount += 1
        }
        rest = number.magnitude
        for index in stride(from: digitCount - 1, through: 0, by: -1) {
            self.next[index] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        }
        self.next += digitCount
    }

    /// - Precondition: the value is below 100.
    @inline(__always)
    mutating func write(twoDigits value: UInt32) {
        self.next[0] = UInt8(truncatingIfNeeded: 0x30 + value / 10)
        self.next[1] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
        self.next += 2
    }

    /// A string of JSON in quotes, six bytes for each of the text at most and two more; what has to be escaped is left to whoever
    /// knows how.
    mutating func writeString(_ text: ProtobufCBinaryData) {
        guard Self.isPlain(text.bytes) else { return self.write(text: JSON.string(text.string).text(.line)) }
        self.write(0x22 as UInt8)
        self.write(text.bytes)
        self.write(0x22 as UInt8)
    }

    private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        // Without a branch for each byte, the loop goes through many at once.
        var isSpecial: UInt8 = 0
        for byte in text {
            isSpecial |= byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C ? 1 : 0
        }
        return isSpecial == 0
    }

    /// A comma and a field of CSV.
    mutating func writeNextField(_ text: UnsafeRawBufferPointer) {
        self.write(UInt8(ascii: ","))
        self.writeField(text)
    }

    /// A field of CSV, in quotes where it holds a comma, a quote, a line end, or blanks that a reader might trim: two bytes for each
    /// of the text at most, and two more.
    mutating func writeField(_ text: UnsafeRawBufferPointer, isQuoted: Bool = false) {
        let needsQuotes = text.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0D || $0 == 0x0A }
        guard isQuoted || needsQuotes || text.first == 0x20 || text.last == 0x20 else { return self.write(text) }
        self.write(0x22 as UInt8)
        for byte in text {
            if byte == 0x22 { self.write(0x22 as UInt8) }
            self.write(byte)
        }
        self.write(0x22 as UInt8)
    }
}
