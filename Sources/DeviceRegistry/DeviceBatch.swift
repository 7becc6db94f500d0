// Mutations of many devices that are carried out all or none.

package import DeviceModel
internal import DeviceQuery

/// What a batch is made of.
package protocol BatchItem: Hashable, Sendable {
    /// The device's.
    var serial: String { get }
    /// Where an item has its serial and its etag.
    static var serialField: String { get }
    static var etagField: String { get }
}

extension DeviceCreation: BatchItem {
    package static var serialField: String { "device.device_serial" }
    package static var etagField: String { "device.etag" }
}

extension DeviceUpdate: BatchItem {
    package static var serialField: String { "device.device_serial" }
    package static var etagField: String { "device.etag" }
}

extension DeviceDeletion: BatchItem {
    package static var serialField: String { "device_serial" }
    package static var etagField: String { "etag" }
}

/// Items of one kind in the order of their request, no two of them about one device.
///
/// Those that break a rule by themselves are told of in ``faults``, with which the batch goes to the writer all the
/// same: it refuses them together with those that only it can tell to be bad.
package struct DeviceBatch<Item: BatchItem>: Sendable {
    /// A well-formed item.
    struct Entry: Sendable {
        /// Its place in the request.
        let index: Int
        let item: Item
    }

    private(set) var entries: [Entry] = []
    package private(set) var faults = BatchFaults(list: "requests")
    /// How many items the request has, bad ones included.
    private(set) var count = 0
    private var serials = SerialSet()

    package init() {}

    /// Appends the next item of the request.
    ///
    /// - Parameter violations: its bad fields, by their paths in the item.
    package mutating func append(_ item: Item, violations: [FieldViolation]) {
        let index = self.count
        self.count += 1
        self.faults.refuse(index, violations)
        guard !violations.contains(where: { $0.field == Item.serialField }) else { return }
        if let earlier = self.serials.insert(item.serial, index: index) {
            self.faults.refuse(index, [.repeatedSerial(item.serial, Item.serialField, of: "requests[\(earlier)]")])
        } else if violations.isEmpty {
            self.entries.append(Entry(index: index, item: item))
        }
    }

    /// Counts an item of the request that cannot even be read as one.
    package mutating func appendUnreadable(violations: [FieldViolation]) {
        self.faults.refuse(self.count, violations)
        self.count += 1
    }
}

/// Serials of a request, each with the place of the first item that has it.
package struct SerialSet: Sendable {
    private var indexes: [String: Int] = [:]

    package init() {}

    /// Adds a valid serial.
    ///
    /// - Returns: the place of the item that has it already; nil where it is new.
    package mutating func insert(_ serial: String, index: Int) -> Int? {
        if let earlier = self.indexes[serial] { return earlier }
        self.indexes[serial] = index
        return nil
    }
}

extension FieldViolation {
    /// A serial that comes again in a batch.
    package static func repeatedSerial(_ serial: String, _ field: String, of place: String) -> FieldViolation {
        FieldViolation(
            field: field, description: "must not be \(quoted(serial)) again, which \(place) is; name each device once")
    }
}

/// What is wrong with the items of a batch.
package struct BatchFaults: Sendable {
    /// The field of the request that holds the items.
    private let list: String
    private var check = FieldCheck()
    /// The code of all faults so far; INVALID_ARGUMENT where they differ.
    private var code: RegistryError.Code?
    /// That of the first fault, where all have the same code.
    private var reason = RegistryError.Reason.fieldInvalid

    package init(list: String) {
        self.list = list
    }

    package var violations: [FieldViolation] { self.check.violations }

    /// Takes note of bad fields of an item, by their paths in the item; an empty path is the item itself.
    package mutating func refuse(
        _ index: Int, _ violations: [FieldViolation], _ code: RegistryError.Code = .invalidArgument,
        _ reason: RegistryError.Reason = .fieldInvalid
    ) {
        guard !violations.isEmpty else { return }
        if self.code == nil {
            (self.code, self.reason) = (code, reason)
        } else if self.code != code {
            (self.code, self.reason) = (.invalidArgument, .fieldInvalid)
        }
        for violation in violations {
            let path = violation.field.isEmpty ? "" : "." + violation.field
            self.check.refuse("\(self.list)[\(index)]\(path)", violation.description)
        }
    }

    /// - Throws: the refusal of the batch, if an item is bad.
    package func finish() throws(RegistryError) {
        guard let code = self.code else { return }
        var error = RegistryError(InvalidFields(self.check.violations), reason: self.reason)
        error.code = code
        throw error
    }
}
