// From the text of a filter to its tree.

package import DeviceModel

/// Reads filters in the language of AIP-160, as far as devices have a use for it.
///
///     expression  = factor { ["AND"] factor }              adjacent factors are AND
///     factor      = term { "OR" term }                     so that OR binds tighter
///     term        = { "NOT" | "-" } (comparison | "(" expression ")")
///     comparison  = name ("=" | "!=" | "<" | "<=" | ">" | ">=" | ":") value
///
/// A text is lexed and parsed to a ``FilterSyntax``, which knows where everything stands, and then checked against the
/// fields of devices and the attribute keys of the project. Nothing backtracks: reading takes time in proportion to the
/// text.
package struct FilterParser: Sendable {
    private let limits: Limits

    package init(limits: Limits) {
        self.limits = limits
    }

    /// The tree that `text` means; nil for a text of white space only.
    ///
    /// - Parameters:
    ///   - attributeKey: gives the project's key with a text in any case.
    ///   - attributeKeyNames: gives the project's keys in lower case; called only to find the nearest to one that it
    ///     does not have.
    /// - Throws: the first thing that is wrong, as a violation of `filter` that says where it stands, counted in
    ///   Unicode scalars from 1, and what would be right.
    package func parse(
        _ text: String, attributeKey: (String) -> AttributeKeyRecord?, attributeKeyNames: () -> [String]
    ) throws(InvalidFields) -> FilterExpression? {
        do throws(FilterFault) {
            return try self.expression(text, attributeKey: attributeKey, attributeKeyNames: attributeKeyNames)
        } catch {
            throw error.violation(in: text)
        }
    }

    private func expression(
        _ text: String, attributeKey: (String) -> AttributeKeyRecord?, attributeKeyNames: () -> [String]
    ) throws(FilterFault) -> FilterExpression? {
        let byteCount = text.utf8.count
        guard byteCount <= self.limits.filterByteCountMax else {
            throw FilterFault(
                "is \(byteCount) bytes long", at: nil, "filter_bytes allows at most \(self.limits.filterByteCountMax)")
        }
        var parser = try FilterSyntaxParser(text, limits: self.limits)
        guard let syntax = try parser.filter() else { return nil }
        return try syntax.expression(attributeKey: attributeKey, attributeKeyNames: attributeKeyNames)
    }
}
