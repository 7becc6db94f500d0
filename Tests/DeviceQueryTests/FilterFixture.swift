// A project's attribute keys, and filters over them.

import DeviceModel
import DeviceQuery
import FoundationEssentials

enum FilterFixture {
    static let keys: [AttributeKeyRecord] = [
        ("battery", DataType.int), ("Battery level", .int), ("net.rssi", .int), ("Uptime", .float), ("docked", .bool),
        ("zone", .string), ("net/if:0", .string), ("AND", .string), ("fw-version", .string),
    ].enumerated().map { index, key in
        AttributeKeyRecord(
            id: AttributeKeyID(rawValue: Int64(index + 1)), project: ProjectID(rawValue: 1),
            metric: CustomMetric(id: UUID(), stringKey: key.0, dataType: key.1))
    }

    private static let byFoldedText = Dictionary(
        uniqueKeysWithValues: Self.keys.map { (CustomMetric.folded($0.metric.stringKey), $0) })

    static func parse(_ text: String, limits: Limits = Limits()) throws(InvalidFields) -> FilterExpression? {
        try FilterParser(limits: limits).parse(text) {
            Self.byFoldedText[CustomMetric.folded($0)]
        } attributeKeyNames: {
            Self.keys.map { CustomMetric.folded($0.metric.stringKey) }
        }
    }

    /// The field and the sentence of what is wrong; nil where nothing is.
    static func refusal(_ text: String, limits: Limits = Limits()) -> FieldViolation? {
        do throws(InvalidFields) {
            _ = try Self.parse(text, limits: limits)
            return nil
        } catch {
            return error.violations.count == 1 ? error.violations[0] : nil
        }
    }
}

extension FilterExpression {
    static func id(_ value: Int64) -> FilterExpression { .comparison(.id, .equal, .integer(value)) }

    static func equal(_ field: FilterField, _ text: String) -> FilterExpression {
        .comparison(field, .equal, .text(text))
    }

    /// `pattern` has its stars; none of them is meant as a character.
    static func like(_ field: FilterField, _ pattern: String) -> FilterExpression {
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
        return .comparison(field, .equal, .pattern(TextPattern(pieces: pieces.map { Array($0.utf8) })))
    }
}

extension FilterField {
    /// The attribute with this key as first written.
    static func attribute(_ key: String) -> FilterField {
        guard let record = FilterFixture.keys.first(where: { $0.metric.stringKey == key }) else {
            preconditionFailure("the fixture has no key \(key)")
        }
        return .attribute(record)
    }
}
