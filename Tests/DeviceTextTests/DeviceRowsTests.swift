// Devices out of files, good ones and bad ones.

import DeviceModel
import DeviceText
import Testing

@Suite struct DeviceRowsTests {
    /// What a file comes to: items, faults by line, and the error that ended it.
    private static func read(
        _ bytes: [UInt8], mode: ImportMode = .create, pieceByteCount: Int = 1_000
    ) -> (items: [ImportItem], faults: [String], error: String?) {
        var rows = DeviceRows(mode: mode)
        var (items, faults): ([ImportItem], [String]) = ([], [])
        func drain() -> String? {
            do throws(DeviceFileError) {
                while let row = try rows.next() {
                    switch row.item {
                    case .success(let item): items.append(item)
                    case .failure(let fault): faults.append("\(row.line) \(row.serial): \(fault.reason)")
                    }
                }
                return nil
            } catch {
                return error.description
            }
        }
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            rows.append(Array(bytes[start..<min(bytes.count, start + pieceByteCount)]))
            if let error = drain() { return (items, faults, error) }
        }
        rows.finish()
        let error = drain()
        return (items, faults, error)
    }

    private static let header = "device_serial,owner_ref,hardware_version"

    @Test func aDeviceThatNoMessageCanCarryFailsAlone() {
        let long = String(repeating: "x", count: 3 << 20)
        let lines = [
            #"{"device_serial": "A", "owner_ref": "a\u0000b", "hardware_version": "h"}"#,
            #"{"device_serial": "B", "owner_ref": "\#(long)", "hardware_version": "h"}"#,
            #"{"device_serial": "C", "owner_ref": "o", "hardware_version": "h"}"#,
        ]
        let (items, faults, error) = Self.read(Array(lines.joined(separator: "\n").utf8), pieceByteCount: 1 << 20)
        #expect(items.map(\.serial) == ["C"])
        #expect(faults.map { String($0.prefix(12)) } == ["1 A: owner_r", "2 B: The tex"])
        #expect(error == nil)
        let csv = Self.read(Array("\(Self.header)\nA,a\u{0}b,h\nB,o,h\n".utf8))
        #expect(csv.items.map(\.serial) == ["B"] && csv.faults == ["2 A: owner_ref must not hold a NUL."])
    }

    @Test func everyColumnIsRead() throws {
        let text = """
            \u{FEFF}id,created_date,updated_date,device_serial,owner_ref,hardware_version,last_seen,\
            last_seen_release_version,last_seen_release.revision,cohort,etag,attributes.Battery,attributes.a,attributes.b
            1,x,y,A1,"Ada, ""the""\r\nowner",hw1,2019-01-19T05:01:13.000001+00:00,1.2,,beta,z,12,"12",
            2,x,y,A2,o,hw1,,,,,,1.5,,true\r

            3,,,A3,o,hw1,,,,,,-0.0,text,""
            """
        let (items, faults, error) = Self.read(Array(text.utf8))
        #expect(faults.isEmpty)
        #expect(error == nil)
        try #require(items.count == 3)
        #expect(items[0].serial == "A1")
        #expect(items[0].ownerRef == "Ada, \"the\"\r\nowner")
        #expect(items[0].cohort == "beta")
        #expect(items[0].lastSeen == Timestamp(rfc3339: "2019-01-19T05:01:13.000001Z"))
        #expect(items[0].release == Release(id: 0, version: "1.2", revision: ""))
        #expect(items[0].attributes.map(\.key) == ["Battery", "a"])
        #expect(items[0].attributes.map(\.value) == [.int(12), .string("12")])
        #expect(items[1].lastSeen == nil)
        #expect(items[1].release == nil)
        #expect(items[1].cohort == nil)
        #expect(items[1].attributes.map(\.value) == [.float(1.5), .bool(true)])
        #expect(items[2].attributes.map(\.value) == [.float(-0.0), .string("text"), .string("")])
    }

    /// Each file with what it says; the good record after the bad one is read where there is one.
    private static let faults: [(text: String, fault: String)] = [
        ("A1,o\nA2,o,h\n", "2 : The record has 2 fields, and the header 3."),
        ("A1,o,h,x\nA2,o,h\n", "2 : The record has 4 fields, and the header 3."),
        ("A1,\"o\"x,h\nA2,o,h\n", "2 : In this record, text follows a closing quote"),
        ("A1,o\"x,h\nA2,o,h\n", "2 : In this record, a quote stands within a field"),
    ]

    @Test(arguments: Self.faults.indices)
    func aBadRecordFailsAlone(index: Int) throws {
        let (text, fault) = Self.faults[index]
        for pieceByteCount in [1, 5, 1_000] {
            let found = Self.read(Array((Self.header + "\n" + text).utf8), pieceByteCount: pieceByteCount)
            #expect(found.items.map(\.serial) == ["A2"])
            #expect(found.faults.count == 1)
            #expect(try #require(found.faults.first).hasPrefix(fault), "\(found.faults)")
            #expect(found.error == nil)
        }
    }

    @Test func bytesThatAreNotUTF8FailTheirRecord() {
        let bytes = Array("\(Self.header)\nA1,".utf8) + [0xFF] + Array(",h\nA2,o,h\n".utf8)
        let found = Self.read(bytes)
        #expect(found.items.map(\.serial) == ["A2"])
        #expect(found.faults == ["2 A1: owner_ref is not valid UTF-8."])
    }

    @Test func aBadTimeIsShown() {
        let found = Self.read(Array("\(Self.header),last_seen\nA1,o,h,yesterday\n".utf8))
        #expect(found.faults.count == 1)
        #expect(found.faults[0].contains("last_seen 'yesterday' is not a time"))
    }

    private static let headers: [(text: String, error: String)] = [
        ("", "Line 1: There is no header"),
        ("device_serial,owner_ref\n", "Line 1: The header lacks the column hardware_version."),
        ("\(header),device_serial\n", "Line 1: The header names the column 'device_serial' twice."),
        ("\(header),attributes.a,attributes.A\n", "Line 1: The header names the column 'attributes.A' twice."),
        ("\(header),ownerref\n", "Line 1: The header's column 4, 'ownerref', is unknown; the nearest is owner_ref."),
        ("\(header),attributes.\n", "Line 1: The header's column 4, 'attributes.', is unknown"),
        ("\(header),attributes.a*\n", "Line 1: In the header, the key of column 4 must not hold '*'"),
        ("device_serial\"x\n", "Line 1: In the header, a quote stands within a field"),
        ("\(header)\nA1,\"o,h\nA2,o,h\n", "Line 2: A quote is opened and never closed."),
    ]

    @Test(arguments: Self.headers.indices)
    func whatSpoilsTheFileIsSaidWithItsLine(index: Int) {
        let (text, error) = Self.headers[index]
        let found = Self.read(Array(text.utf8))
        #expect(found.error?.hasPrefix(error) ?? false, "\(found.error ?? "none")")
        #expect(found.items.isEmpty)
    }

    @Test func anUpsertNeedsNoMoreThanTheSerial() {
        let found = Self.read(Array("device_serial\nA1\n".utf8), mode: .upsert)
        #expect(found.items == [ImportItem(serial: "A1")])
    }

    @Test(arguments: [
        ("12", AttributeValue.int(12)), ("-0", .int(0)), ("9223372036854775808", .float(9_223_372_036_854_775_808)),
        ("-1.5e+3", .float(-1_500)), ("true", .bool(true)), ("020", nil), ("1.", nil), (".5", nil), ("+1", nil),
        ("1e", nil),
        ("nan", nil), ("0x10", nil), ("1e999", nil), ("-", nil), ("", nil), (" 5", nil),
    ])
    func aScalarIsWhatJSONSays(text: String, value: AttributeValue?) {
        #expect(AttributeValue(scalar: text) == value)
    }

    @Test func aLineOfJSONIsADevice() throws {
        let text = """
            {"id": 1, "created_date": "2019-01-19T05:01:13.000000+00:00", "device_serial": "A1", "owner_ref": "o", \
            "hardware_version": "h", "last_seen": null, "last_seen_release": null, "cohort": {"id": 1, "name": "n", "slug": "s"}, \
            "etag": "e", "attributes": [{"custom_metric": {"id": "x", "string_key": "k", "data_type": "FLOAT"}, \
            "state": {"value": 1, "time": "2019-01-19T05:01:13Z", "created_date": "x", "updated_date": "x"}}]}

            {"device_serial": "A2", "cohort": "beta"}
            """
        for pieceByteCount in [1, 64, 10_000] {
            let found = Self.read(Array(text.utf8), pieceByteCount: pieceByteCount)
            #expect(found.error == nil)
            #expect(found.faults.isEmpty)
            try #require(found.items.count == 2)
            #expect(found.items[0].cohort == "s")
            let time = Timestamp(rfc3339: "2019-01-19T05:01:13Z")
            #expect(found.items[0].attributes == [AttributeUpdate(key: "k", value: .float(1), time: time)])
            #expect(found.items[1] == ImportItem(serial: "A2", cohort: "beta"))
        }
    }

    private static let lines: [(text: String, fault: String)] = [
        (#"{"device_serial": "A1", "colour": 1}"#, "1 A1: 'colour' is not a field of a device."),
        (#"{"device_serial": 1}"#, "1 : device_serial must be a string, not a number."),
        (#"{"owner_ref": "o"}"#, "1 : device_serial must be given."),
        (#"{"device_serial": "A1""#, "1 : At column 23: A comma or the object's closing brace is due."),
        (#"{"device_serial": "A1", "last_seen": "now"}"#, "1 A1: last_seen 'now' is not a time"),
        (#"{"device_serial": "A1", "attributes": {}}"#, "1 A1: attributes must be an array, not an object."),
        (
            #"{"device_serial": "A1", "attributes": [{"custom_metric": {"string_key": "k", "data_type": "INT"}, "state": {"value": 1.5}}]}"#,
            "1 A1: attributes[0].state.value must be of type INT, not a number."
        ),
    ]

    @Test(arguments: Self.lines.indices)
    func aBadLineFailsAlone(index: Int) {
        let (text, fault) = Self.lines[index]
        let found = Self.read(Array((text + "\n" + #"{"device_serial": "A2"}"#).utf8))
        #expect(found.items.map(\.serial) == ["A2"])
        #expect(found.faults.first?.hasPrefix(fault) ?? false, "\(found.faults)")
    }
}
