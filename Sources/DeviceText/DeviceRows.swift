// Devices out of a file, one after another, whichever of the formats it has.

package import DeviceModel
internal import JSONText

/// A device that was read, or why it cannot be.
package struct DeviceRow: Sendable {
    /// The line on which it begins, from 1.
    package var line: Int
    /// As far as it could be read.
    package var serial: String
    /// The device, or a sentence that says what is wrong with it.
    package var item: Result<ImportItem, RowFault>
}

/// What is wrong with one device of a file.
package struct RowFault: Error, Hashable, Sendable {
    /// A sentence.
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

extension ImportItem {
    /// What the texts of a device may take together: a message has room for them and for all that stands around them.
    private static let textByteCountMax = 3 << 20

    /// The item, which a message can carry: one that it cannot would end the whole import, and not fail alone.
    ///
    /// - Throws: ``RowFault`` where a text holds a NUL, or where all of them are too long together.
    func sendable() throws(RowFault) -> ImportItem {
        var byteCount = 0
        func check(_ text: String?, _ field: String) throws(RowFault) {
            guard let text else { return }
            guard !text.utf8.contains(0) else { throw RowFault("\(field) must not hold a NUL.") }
            byteCount += text.utf8.count
        }
        try check(self.serial, "device_serial")
        try check(self.ownerRef, "owner_ref")
        try check(self.hardwareVersion, "hardware_version")
        try check(self.cohort, "cohort")
        try check(self.release?.version, "last_seen_release.version")
        try check(self.release?.revision, "last_seen_release.revision")
        for attribute in self.attributes {
            try check(attribute.key, "the key of an attribute")
            if case .string(let text) = attribute.value { try check(text, "attributes.\(attribute.key)") }
        }
        guard byteCount <= Self.textByteCountMax else {
            throw RowFault("The texts of the device take \(byteCount) bytes; it may have \(Self.textByteCountMax).")
        }
        return self
    }
}

/// Why no device can be read from a file, or none from here on.
package struct DeviceFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    package var line: Int
    /// A sentence.
    package var message: String

    package init(line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "Line \(self.line): \(self.message)" }
}

/// The formats in which devices are read.
package enum DeviceFileFormat: Hashable, Sendable {
    case csv
    case ndjson
}

/// Reads devices from bytes that come in pieces: CSV, or JSON a line where the first thing in it is a brace.
package struct DeviceRows: Sendable {
    private let mode: ImportMode
    /// The first bytes, until they tell which format it is; of the two readers below there is none as long.
    private var beginning: [UInt8] = []
    private var csv: CSVDevices?
    private var ndjson: NDJSONDevices?

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// - Parameter mode: decides which columns a CSV file must have.
    package init(mode: ImportMode) {
        self.mode = mode
    }

    /// Takes more of the file.
    package mutating func append(_ bytes: [UInt8]) {
        if self.csv == nil, self.ndjson == nil {
            self.beginning += bytes
            self.detect(isFinished: false)
        } else {
            self.csv?.append(bytes)
            self.ndjson?.append(bytes)
        }
    }

    /// No bytes follow.
    package mutating func finish() {
        if self.csv == nil, self.ndjson == nil { self.detect(isFinished: true) }
        self.csv?.finish()
        self.ndjson?.finish()
    }

    /// The next device; nil where its end has not come yet, and at the end of the file.
    ///
    /// - Throws: ``DeviceFileError`` for a header that is not right, and for what leaves no way to tell where the next device begins.
    package mutating func next() throws(DeviceFileError) -> DeviceRow? {
        if self.csv != nil { return try self.csv?.next() }
        return try self.ndjson?.next()
    }

    private mutating func detect(isFinished: Bool) {
        guard isFinished || self.beginning.count >= Self.byteOrderMark.count else { return }
        let isMarked = self.beginning.starts(with: Self.byteOrderMark)
        let text = self.beginning.dropFirst(isMarked ? Self.byteOrderMark.count : 0)
        guard let first = text.first(where: { !$0.isBlank }) ?? (isFinished ? 0 : nil) else { return }
        if first == UInt8(ascii: "{") {
            self.ndjson = NDJSONDevices()
            self.ndjson?.append(text)
        } else {
            self.csv = CSVDevices(mode: self.mode)
            self.csv?.append(text)
        }
        self.beginning = []
    }
}

extension UInt8 {
    /// A space, tab or line end.
    var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
