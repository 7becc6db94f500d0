// A filter as a caller sends it and as it is meant.

package import DeviceModel

/// A filter with the tree that its text says, so that whoever judges an answer need not read the text.
package struct FilterSample: Sendable {
    /// Its expression is the text of ``tree``.
    package let filter: DeviceFilter
    package let tree: FilterExpression?

    package init(_ fields: DeviceFilter = DeviceFilter(), tree: FilterExpression? = nil) {
        var filter = fields
        filter.expression = tree.map(String.init(describing:)) ?? ""
        self.filter = filter
        self.tree = tree
    }
}
