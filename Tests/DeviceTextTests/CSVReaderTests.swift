// Records out of bytes, whole and drip-fed.

import DeviceText
import Testing

@Suite struct CSVReaderTests {
    /// What a file comes to: each record's line and fields (those in quotes marked), or its fault, and how it ends.
    private static func read(_ bytes: [UInt8], pieceByteCount: Int) -> [String] {
        var reader = CSVReader()
        var record = CSVRecord()
        var found: [String] = []
        func drain() -> Bool {
            do throws(CSVError) {
                while try reader.next(&record) {
                    let fields = (0..<record.fieldCount).map { index in
                        let text = String(decoding: record[index], as: UTF8.self)
                        return record.isQuoted(index) ? "«\(text)»" : text
                    }
                    found.append(
                        "\(record.line): \(record.fault.map { "FAULT \($0.prefix(12))" } ?? fields.joined(separator: "|"))"
                    )
                }
                return true
            } catch {
                found.append("\(error.line): ERROR \(error.message.prefix(21))")
                return false
            }
        }
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            reader.append(bytes[start..<min(bytes.count, start + pieceByteCount)])
            guard drain() else { return found }
        }
        reader.finish()
        _ = drain()
        return found
    }

    private static let files: [(text: String, records: [String])] = [
        ("", []),
        ("a,b\n1,2\n", ["1: a|b", "2: 1|2"]),
        ("a,b\r\n1,2\r\n", ["1: a|b", "2: 1|2"]),
        ("a,b\n1,2", ["1: a|b", "2: 1|2"]),
        ("a,b\r\n1,2\r", ["1: a|b", "2: 1|2"]),
        ("a,\n,b\n,\n", ["1: a|", "2: |b", "3: |"]),
        ("a,", ["1: a|"]),
        ("\n\nx\n", ["1: ", "2: ", "3: x"]),
        ("\"a\",\"\"\n", ["1: «a»|«»"]),
        ("\"a\"\"b\",\"\"\"\"\n", ["1: «a\"b»|«\"»"]),
        ("\"one\ntwo\",x\ny,z\n", ["1: «one\ntwo»|x", "3: y|z"]),
        ("\"a,b\"\r\nc\r\n", ["1: «a,b»", "2: c"]),
        ("\"a\"", ["1: «a»"]),
        ("\"a\"b,c\nd\n", ["1: FAULT text follows", "2: d"]),
        ("a\"b,c\nd\n", ["1: FAULT a quote stan", "2: d"]),
        ("a\rb,c\nd\n", ["1: FAULT a carriage r", "2: d"]),
        ("a\nb,\"c\nd\ne", ["1: a", "2: ERROR A quote is opened and"]),
        ("é,\u{1F600}\n", ["1: é|\u{1F600}"]),
    ]

    @Test(arguments: Self.files.indices)
    func everyFileComesOutTheSameHoweverItIsCut(index: Int) {
        let (text, records) = Self.files[index]
        for pieceByteCount in [1, 2, 3, 7, 1_000] {
            #expect(Self.read(Array(text.utf8), pieceByteCount: pieceByteCount) == records, "\(pieceByteCount)")
        }
    }

    @Test func anEndlessRecordIsRefusedAndNotKept() {
        let line = [UInt8](repeating: 0x61, count: CSVReader.recordByteCountMax + 1)
        #expect(Self.read(line, pieceByteCount: 65_536) == ["1: ERROR The line is longer th"])
        #expect(Self.read([0x22] + line, pieceByteCount: 65_536) == ["1: ERROR A quote is opened and"])
    }
}
