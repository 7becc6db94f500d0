// Devices out of CSV and out of JSON a line.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceText
internal import DeviceWire
internal import ProtobufC

extension FuzzTarget {
    /// However a file comes in, the same devices and faults come out, and each device fits a message that can be read.
    static let deviceFile = FuzzTarget(
        "device-file", "devices of a CSV or NDJSON file", byteCountMax: 4_096,
        words: FileReading.words,
        seeds: { FileReading.seeds },
        feed: { bytes in
            for mode in [ImportMode.create, .upsert] {
                let whole = FileReading(bytes[...].pieces(of: 0), mode)
                for row in whole.rows {
                    if case .success(let item) = row.item { try FileReading.checkSendable(item) }
                }
                for byteCount in [1, 7] {
                    let cut = FileReading(bytes[...].pieces(of: byteCount), mode)
                    guard cut != whole else { continue }
                    throw FuzzFinding("In pieces of \(byteCount) bytes the file holds \(cut), and not \(whole).")
                }
            }
        })
}

private struct FileReading: Equatable {
    private(set) var rows: [DeviceRow] = []
    private var error: DeviceFileError?

    init(_ pieces: [ArraySlice<UInt8>], _ mode: ImportMode) {
        var reader = DeviceRows(mode: mode)
        do throws(DeviceFileError) {
            for piece in pieces {
                reader.append(Array(piece))
                while let row = try reader.next() { self.rows.append(row) }
            }
            reader.finish()
            while let row = try reader.next() { self.rows.append(row) }
        } catch {
            self.error = error
        }
    }

    static func == (left: FileReading, right: FileReading) -> Bool {
        left.error == right.error
            && left.rows.elementsEqual(right.rows) {
                $0.line == $1.line && $0.serial == $1.serial && $0.item == $1.item
            }
    }

    static func checkSendable(_ item: ImportItem) throws {
        try Arena.current.scope { arena in
            let request = UnsafePointer(arena.importDevicesRequest(item: item))
            var bytes = [UInt8](repeating: 0, count: Encoding.packedByteCount(of: request))
            _ = bytes.withUnsafeMutableBytes { Encoding.pack(request, into: $0) }
            do {
                try bytes.withUnsafeBytes { try arena.decode(Messages.importDevicesRequest, from: $0) { _ in } }
            } catch {
                throw FuzzFinding("The device \(item) makes a message that is refused: \(error).")
            }
        }
    }

    static let words = [
        "device_serial", "owner_ref", "hardware_version", "cohort", "last_seen", "last_seen_release.version",
        "last_seen_release.revision", "attributes.", "id", "created_date", "etag", "\r\n", "\"\"", ",", "\u{FEFF}", "{",
        "}",
        "\":", "null", "true", "[", "]", "\\u00e9", "\\ud83d\\ude00", "last_seen_release", "version", "revision",
        "slug",
        "attributes", "custom_metric", "string_key", "data_type", "state", "value", "time", "FLOAT", "INT", "1e308",
        "2019-01-19T05:01:13Z",
    ]

    static var seeds: [FuzzSeed] {
        let json = """
            {"device_serial": "ABCD1234", "owner_ref": "Ångström", "hardware_version": "hwrev1", "cohort": {"slug": "beta"}, \
            "last_seen": "2019-01-19T05:01:13.000001+00:00", "last_seen_release": {"id": 2, "version": "1.2.3", "revision": "11d9"}, \
            "attributes": [{"custom_metric": {"string_key": "battery", "data_type": "INT"}, "state": {"value": 20}}, \
            {"custom_metric": {"string_key": "temp", "data_type": "FLOAT"}, "state": {"value": -1.5e3, "time": "2019-01-19T05:01:13Z"}}]}
            """
        return [
            FuzzSeed("plain.csv", "device_serial,owner_ref,hardware_version\nA1,owner,hw1\nA2,owner,hw2\n"),
            FuzzSeed(
                "quoted.csv",
                "\u{FEFF}device_serial,owner_ref,hardware_version,attributes.zone\r\nA1,\"a \"\"b\"\", c\nd\",hw1,\"7\"\r\n\r\nA2,,hw1,7"
            ),
            FuzzSeed(
                "all-columns.csv",
                """
                id,created_date,updated_date,device_serial,owner_ref,hardware_version,last_seen,last_seen_release.version,\
                last_seen_release.revision,cohort,etag,attributes.battery,attributes.temp,attributes.docked
                1,,,A1,o,h,2019-01-19T05:01:13Z,1.2.3,abc,beta,x,20,1.5,true

                """),
            FuzzSeed(
                "faults.csv",
                "device_serial,owner_ref,hardware_version\nA1,o\"x,h\nA2,\"o\"x,h\nA3,o\rp,h\nA4\nA5,o,h,more\n"),
            FuzzSeed("open-quote.csv", "device_serial,owner_ref,hardware_version\nA1,\"o,h\nA2,o,h\n"),
            FuzzSeed("header-twice.csv", "device_serial,device_serial\nA1,A1\n"),
            FuzzSeed("header-unknown.csv", "device_serail\nA1\n"),
            FuzzSeed(
                "not-utf-8.csv",
                Array("device_serial,owner_ref,hardware_version\nA1,".utf8) + [0xFF, 0xC0] + Array(",h\n".utf8)),
            FuzzSeed("whole.ndjson", json + "\n" + json + "\n\n"),
            FuzzSeed(
                "short.ndjson",
                "\u{FEFF} {\"device_serial\":\"A\"}\n{\"device_serial\":\"\\ud83d\\ude00\",\"cohort\":\"beta\"}"),
            FuzzSeed(
                "faults.ndjson",
                "{\"device_serial\":1}\n{\"x\":2}\n{\n[]\n{\"device_serial\":\"a\\u0000\"}\n{\"attributes\":{}}\n"),
            FuzzSeed("nested.ndjson", String(repeating: "{\"attributes\":[", count: 80)),
        ]
    }
}
