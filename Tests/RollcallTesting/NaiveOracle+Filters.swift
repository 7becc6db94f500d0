// What a filter's tree says of a device, in the contract's own words.

package import DeviceModel

extension NaiveOracle {
    /// A value of a device as filters and orders compare it.
    package enum Value: Sendable {
        case integer(Int64)
        case float(Double)
        case bool(Bool)
        case text(String)
        /// Text that has no order.
        case symbol(String)
        case time(Timestamp)
    }

    /// Two-valued: what compares with a missing value is false, `!=` too, and `not` inverts it.
    package func matches(_ entry: Entry, _ expression: FilterExpression) -> Bool {
        switch expression {
        case .all(let parts): return parts.allSatisfy { self.matches(entry, $0) }
        case .any(let parts): return parts.contains { self.matches(entry, $0) }
        case .not(let part): return !self.matches(entry, part)
        case .presence(let field): return self.hasValue(field, entry)
        case .comparison(let field, let comparison, let operand):
            guard let value = self.value(field, of: entry) else { return false }
            return Self.holds(value, comparison, operand)
        }
    }

    /// The value of a field, an empty text included; nil where the device has none.
    package func value(_ field: FilterField, of entry: Entry) -> Value? {
        switch field {
        case .id: return .integer(entry.id.rawValue)
        case .createdDate: return .time(entry.createdDate)
        case .updatedDate: return .time(entry.fields.updatedDate)
        case .deviceSerial: return .text(entry.serial)
        case .ownerRef: return .text(entry.fields.ownerRef)
        case .hardwareVersion: return .text(entry.fields.hardwareVersion)
        case .lastSeen: return entry.sighting.lastSeen.map(Value.time)
        case .releaseID: return entry.sighting.release.map { .integer($0.rawValue) }
        case .releaseVersion: return self.release(of: entry).map { .text($0.version) }
        case .releaseRevision: return self.release(of: entry).map { .text($0.revision) }
        case .cohortID: return .integer(entry.fields.cohort.rawValue)
        case .cohortSlug: return self.cohort(of: entry).map { .text($0.slug) }
        case .cohortName: return self.cohort(of: entry).map { .text($0.name) }
        case .etag:
            let etag = Etag(storeTag: Etag.storeTag(of: self.storeID), revision: entry.fields.etagRevision)
            return .symbol(etag.description)
        case .attribute(let key):
            switch entry.attributes[key.id]?.value {
            case .int(let number): return .integer(number)
            case .float(let number): return .float(number)
            case .bool(let value): return .bool(value)
            case .string(let text): return .text(text)
            case nil: return nil
            }
        }
    }

    /// An empty owner or revision is a value to compare with and yet none to have.
    func hasValue(_ field: FilterField, _ entry: Entry) -> Bool {
        switch (field, self.value(field, of: entry)) {
        case (_, nil): false
        case (.ownerRef, .text(let text)), (.releaseRevision, .text(let text)): !text.isEmpty
        default: true
        }
    }

    private static func holds(_ value: Value, _ comparison: FilterOperator, _ operand: FilterOperand) -> Bool {
        let order: Int
        switch (value, operand) {
        case (.text(let text), .pattern(let pattern)): order = Self.isMatch(text, pattern) ? 0 : 1
        case (_, .integer(let number)): order = Self.order(value, .integer(number))
        case (_, .float(let number)): order = Self.order(value, .float(number))
        case (_, .bool(let operand)): order = Self.order(value, .bool(operand))
        case (.symbol, .text(let text)): order = Self.order(value, .symbol(text))
        case (_, .text(let text)): order = Self.order(value, .text(text))
        case (_, .time(let time)): order = Self.order(value, .time(time))
        case (_, .pattern): preconditionFailure("only texts are held against patterns")
        }
        return switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    /// Below zero where `left` comes first, above where `right` does. Numbers by their worth, texts by their bytes.
    static func order(_ left: Value, _ right: Value) -> Int {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): RollcallTesting.order(left, right)
        case (.integer(let left), .float(let right)): Self.order(left, right)
        case (.float(let left), .integer(let right)): -Self.order(right, left)
        case (.float(let left), .float(let right)): RollcallTesting.order(left, right)
        case (.bool(let left), .bool(let right)): RollcallTesting.order(left ? 1 : 0, right ? 1 : 0)
        case (.text(let left), .text(let right)), (.symbol(let left), .symbol(let right)):
            RollcallTesting.order(left, right)
        case (.time(let left), .time(let right)): RollcallTesting.order(left, right)
        default: preconditionFailure("\(left) and \(right) have no order")
        }
    }

    /// Without making a `Double` of the integer, which may not be one.
    private static func order(_ integer: Int64, _ float: Double) -> Int {
        let floor = float.rounded(.down)
        guard let whole = Int64(exactly: floor) else { return float < 0 ? 1 : -1 }
        if integer != whole { return integer < whole ? -1 : 1 }
        return floor < float ? -1 : 0
    }

    private static func isMatch(_ text: String, _ pattern: TextPattern) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.starts(with: pattern.pieces[0])
            && Self.isMatch(bytes[pattern.pieces[0].count...], pattern.pieces.dropFirst())
    }

    /// Tries every place for the first piece; the last one ends the text.
    private static func isMatch(_ bytes: ArraySlice<UInt8>, _ pieces: ArraySlice<[UInt8]>) -> Bool {
        guard let piece = pieces.first, bytes.count >= piece.count else { return false }
        guard pieces.count > 1 else { return bytes.suffix(piece.count).elementsEqual(piece) }
        return (bytes.startIndex...bytes.endIndex - piece.count).contains { start in
            bytes[start...].starts(with: piece) && Self.isMatch(bytes[(start + piece.count)...], pieces.dropFirst())
        }
    }
}
