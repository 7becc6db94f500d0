import JSONText
import Testing

/// JSON by RFC 8259, and what is none.
@Suite struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONNode {
        try JSONReader.read(text.utf8)
    }

    /// The value as it would be written.
    private static func json(_ node: JSONNode) -> String {
        switch node.value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): JSON.string(text).text(.line)
        case .array(let elements): "[\(elements.map(Self.json).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\(JSON.string($0.name).text(.line)):\(Self.json($0.value))" }.joined(separator: ","))}"
        }
    }

    @Test func everyKindOfValueIsRead() throws {
        let texts = [
            #" null "#: "null", "true": "true", "\n[ false ]": "[false]", "-0": "-0", "10.50e-3": "10.50e-3",
            "1E+9": "1E+9", #""""#: #""""#, "[]": "[]", "{}": "{}", #"{"":[{}]}"#: #"{"":[{}]}"#,
            #"{"b":1,"a":[1,2,"x"],"b":2}"#: #"{"b":1,"a":[1,2,"x"],"b":2}"#,
            #""\"\\\/\b\f\n\r\t""#: #""\"\\/\u0008\u000c\n\r\t""#,
            #""é\u00E9\ud83d\ude00😀""#: #""éé😀😀""#,
        ]
        for (text, expected) in texts {
            #expect(Self.json(try self.read(text)) == expected, "\(text)")
        }
    }

    @Test func whatIsWrongIsToldWithItsPlace() {
        let texts: [(String, String)] = [
            ("", "1:1"), ("  ", "1:3"), ("nul", "1:1"), ("nulll", "1:1"), ("True", "1:1"), ("01", "1:2"), ("1.", "1:3"),
            ("-", "1:2"), ("1e", "1:3"), ("+1", "1:1"), (".5", "1:1"), ("'a'", "1:1"), ("\"a", "1:1"),
            ("\"\u{1}\"", "1:2"), (#""\x""#, "1:2"), (#""\u12g4""#, "1:6"), (#""\ud83d""#, "1:2"),
            (#""\ude00""#, "1:2"), (#""\ud83d\u0041""#, "1:2"), ("[1,]", "1:4"), ("[1 2]", "1:4"), ("[", "1:2"),
            ("{\"a\"}", "1:5"), ("{\"a\":}", "1:6"), ("{\"a\":1,}", "1:8"), ("{a:1}", "1:2"), ("1 2", "1:3"),
            ("{\"é\":\n  [1,\n  x]}", "3:3"), ("{\"é😀\": x}", "1:8"), ("[1]]", "1:4"), ("NaN", "1:1"),
        ]
        for (text, place) in texts {
            let error = #expect(throws: JSONError.self, "\(text)") { try self.read(text) }
            #expect(error?.position.description == place, "\(text): \(error?.description ?? "")")
            #expect(error?.message.hasSuffix(".") == true)
        }
        #expect(throws: JSONError.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
    }

    @Test func valuesKnowWhereTheyStand() throws {
        guard case .object(let members) = try self.read("{\"a\": 1,\n \"b\": [true]}").value,
            case .array(let elements) = members[1].value.value
        else {
            Issue.record("An object with a list was written.")
            return
        }
        #expect(members.map(\.position.description) == ["1:2", "2:2"])
        #expect(members.map(\.value.position.description) == ["1:7", "2:7"])
        #expect(elements[0].position.description == "2:8")
    }

    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try self.read(nested(JSONReader.depthMax))
        #expect(throws: JSONError.self) { try self.read(nested(JSONReader.depthMax + 1)) }
        #expect(throws: JSONError.self) { try self.read(String(repeating: "[", count: 10_000)) }
    }
}

/// A stream of values, cut apart.
@Suite struct JSONSplitterTests {
    private static let text = """
        {"a": "}\\"{"}  [1,
        [2]]{"é":1}
        12 true "x y"\t"\\\\" {"b":
        """

    private static let pieces = [
        ("{\"a\": \"}\\\"{\"}", "1:1"), ("[1,\n[2]]", "1:16"), ("{\"é\":1}", "2:5"), ("12", "3:1"), ("true", "3:4"),
        ("\"x y\"", "3:9"), ("\"\\\\\"", "3:15"), ("{\"b\":", "3:20"),
    ]

    @Test(arguments: [1, 2, 3, 7, 1_000]) func valuesAreFoundHoweverTheTextComes(chunkByteCount: Int) throws {
        var splitter = JSONSplitter()
        var pieces: [JSONSplitter.Piece] = []
        var rest = Array(Self.text.utf8)[...]
        while !rest.isEmpty {
            pieces += try splitter.append(rest.prefix(chunkByteCount))
            rest = rest.dropFirst(chunkByteCount)
        }
        #expect(pieces.count == Self.pieces.count - 1)
        pieces += splitter.finish().map { [$0] } ?? []
        #expect(pieces.map { String(decoding: $0.bytes, as: UTF8.self) } == Self.pieces.map(\.0))
        #expect(pieces.map(\.position.description) == Self.pieces.map(\.1))
        #expect(splitter.finish() == nil)
    }

    @Test func aValueComesOutWithItsLastByte() throws {
        var splitter = JSONSplitter()
        #expect(try splitter.append("{\"a\":[]".utf8).isEmpty)
        #expect(try splitter.append("}".utf8).count == 1)
        #expect(try splitter.append(" \n ".utf8).isEmpty)
        #expect(splitter.finish() == nil)
    }

    @Test func aValueWithoutEndIsBounded() throws {
        var splitter = JSONSplitter(byteCountMax: 100)
        #expect(try splitter.append(Array(repeating: UInt8(ascii: "["), count: 100)).isEmpty)
        #expect(throws: JSONError.self) { try splitter.append("[".utf8) }
    }
}
