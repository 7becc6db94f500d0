// What ListDevices asks for.

package import CRollcallProto
package import DeviceModel
internal import ProtobufC

extension FieldCheck {
    /// The query of a request; where a field is bad, another value stands in for it.
    ///
    /// The token itself is the query engine's to check.
    package mutating func listQuery(
        _ message: UnsafePointer<Rollcall__V1__ListDevicesRequest>, limits: Limits
    ) -> ListQuery {
        let message = message.pointee
        var query = ListQuery()
        query.filter = self.deviceFilter(message)
        do throws(InvalidFields) {
            query.sort = try SortKey.parse(message.sort.string, field: "sort")
        } catch {
            for violation in error.violations {
                self.refuse(violation.field, violation.description)
            }
        }
        let page = self.page(message, limits: limits)
        query.pageSize = page.size
        query.position = page.position
        query.includesTotal = page.includesTotal
        query.explains = message.explain != 0
        return query
    }
}
