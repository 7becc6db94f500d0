// Devices to lines and back.

import CRollcallProto
import DeviceModel
import DeviceText
import DeviceWire
import FoundationEssentials
import JSONText
import ProtobufC
import Testing

@Suite struct DeviceLineWriterTests {
    /// Texts that files find hard.
    private static let texts = [
        "plain", "a,b", "say \"so\"", "two\nlines\r\n", " blank ", "12", "-0", "1.50", "1e5", "true", "false", "",
        "é\u{1F600}\u{7}",
        "\\", "x\u{2028}\u{202E}", "+1", "0x1F", "nan", "'", "\t", "{",
    ]
    private static let time = Timestamp.epoch.advanced(byMicroseconds: 1_547_874_073_000_001)

    private static let devices: [Device] = Self.texts.enumerated().map { index, text in
        func attribute(_ key: String, _ value: AttributeValue) -> Attribute {
            Attribute(
                customMetric: CustomMetric(id: UUID(), stringKey: key, dataType: value.dataType),
                state: AttributeState(
                    value: value, time: Self.time.advanced(byMicroseconds: Int64(index)), createdDate: Self.time,
                    updatedDate: Self.time))
        }
        let isSeen = index % 3 != 0
        return Device(
            id: Int64(index) - 1, createdDate: Self.time, updatedDate: .epoch.advanced(byMicroseconds: -Int64(index)),
            deviceSerial: "S\(index)", ownerRef: text, hardwareVersion: "hw",
            lastSeen: isSeen ? Self.time.advanced(byMicroseconds: 86_400_000_000 * Int64(index)) : nil,
            lastSeenRelease: isSeen ? Release(id: 7, version: "v" + text, revision: text) : nil,
            cohort: Cohort(id: 2, name: text, slug: "beta"), etag: "e-1",
            attributes: index % 4 == 3
                ? []
                : [
                    attribute("Float", .float([0, -0.0, 1, .pi, .leastNonzeroMagnitude, 1e300][index % 6])),
                    attribute("bool", .bool(index % 2 == 0)), attribute("int", .int([.min, -1, 0, .max][index % 4])),
                    attribute("text here", .string(text)),
                ])
    }

    /// The devices as an export's message.
    private static func message() -> [UInt8] {
        Arena().scope { arena in
            let message = arena.make(Messages.exportDevicesResponse)
            message.pointee.devices = arena.makePointerArray(count: Self.devices.count)
            message.pointee.n_devices = Self.devices.count
            for (index, device) in Self.devices.enumerated() {
                message.pointee.devices[index] = arena.message(device)
            }
            let pointer = UnsafePointer(message)
            return [UInt8](unsafeUninitializedCapacity: Encoding.packedByteCount(of: pointer)) { bytes, count in
                count = Encoding.pack(pointer, into: UnsafeMutableRawBufferPointer(bytes))
            }
        }
    }

    private static func written(
        _ format: DeviceFileFormat, _ view: DeviceView = .full, keys: [String] = []
    ) throws -> [UInt8] {
        var writer = DeviceLineWriter(format, view: view, attributeKeys: keys)
        let count = try Self.message().withUnsafeBytes { try writer.write($0) }
        #expect(count == Self.devices.count)
        return writer.take()
    }

    /// What an import makes of a file, whichever its mode.
    private static func read(_ bytes: [UInt8]) throws -> [ImportItem] {
        var rows = DeviceRows(mode: .create)
        rows.append(bytes)
        rows.finish()
        var items: [ImportItem] = []
        while let row = try rows.next() { items.append(try row.item.get()) }
        return items
    }

    private static func item(_ device: Device, withTimes: Bool) -> ImportItem {
        ImportItem(
            serial: device.deviceSerial, ownerRef: device.ownerRef, hardwareVersion: device.hardwareVersion,
            cohort: device.cohort.slug, lastSeen: device.lastSeen,
            release: device.lastSeenRelease.map { Release(id: 0, version: $0.version, revision: $0.revision) },
            attributes: device.attributes.map {
                AttributeUpdate(
                    key: $0.customMetric.stringKey, value: $0.state.value, time: withTimes ? $0.state.time : nil)
            })
    }

    @Test func whatIsWrittenAsJSONIsReadAsItWas() throws {
        let items = try Self.read(try Self.written(.ndjson))
        #expect(items == Self.devices.map { Self.item($0, withTimes: true) })
    }

    @Test func whatIsWrittenAsCSVIsReadAsItWasButForTheTimesOfAttributes() throws {
        let bytes = try Self.written(.csv, keys: ["Float", "bool", "int", "text here"])
        #expect(try Self.read(bytes) == Self.devices.map { Self.item($0, withTimes: false) })
        let header = """
            id,created_date,updated_date,device_serial,owner_ref,hardware_version,last_seen,last_seen_release_version,\
            last_seen_release_revision,cohort,etag,attributes.Float,attributes.bool,attributes.int,attributes.text here\r\n
            """
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(header))
    }

    @Test func everyLineIsOneOfJSONInTheOrderThatTheAPIHas() throws {
        for (view, memberCount) in [(DeviceView.full, 11), (.basic, 10)] {
            let lines = try Self.written(.ndjson, view).split(separator: UInt8(ascii: "\n"))
            #expect(lines.count == Self.devices.count)
            for (line, device) in zip(lines, Self.devices) {
                guard case .object(let members) = try JSONReader.read(line).value else {
                    Issue.record("\(line)")
                    continue
                }
                #expect(members.count == memberCount)
                #expect(members[0].name == "id")
                guard case .string(let created) = members[1].value.value,
                    case .string(let updated) = members[2].value.value
                else {
                    Issue.record("\(line)")
                    continue
                }
                #expect([created, updated] == [device.createdDate.description, device.updatedDate.description])
            }
        }
    }

    @Test func bytesThatAreNoMessageAreRefused() {
        var writer = DeviceLineWriter(.ndjson, view: .full)
        #expect(throws: (any Error).self) { try [UInt8(0x0A), 0xFF].withUnsafeBytes { try writer.write($0) } }
        #expect(writer.take().isEmpty)
    }
}
