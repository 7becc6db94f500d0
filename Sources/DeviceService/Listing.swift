// What the methods that list something of a project have in common.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A method that answers a page of something that a project has, in the order of one unique value.
    ///
    /// - Parameters:
    ///   - count: How many items there are over all pages.
    ///   - items: Up to as many items as the last argument says, in order, from the first one after a place.
    ///   - place: Where an item stands in the order.
    ///   - message: An item as a message, for field 1 of the reply.
    func listing<
        Request: ProjectPageRequest & ScopedRequest, Response: PageResponse, Place: CatalogPlace, Item, Message
    >(
        _ name: MethodName,
        _ request: MessageType<Request>,
        _ response: MessageType<Response>,
        count: @escaping @Sendable (borrowing RegistryIndex, ProjectID) -> Int,
        items: @escaping @Sendable (borrowing RegistryIndex, ProjectID, Place?, Int) -> [Item],
        place: @escaping @Sendable (Item) -> Place,
        message: @escaping @Sendable (Arena, Item) -> UnsafeMutablePointer<Message>
    ) -> Method {
        self.reading(name, request) { request, arena, reply in
            var check = FieldCheck()
            let project = check.project(request.pointee.project)
            let (size, position, includesTotal) = check.page(request.pointee, limits: self.registry.limits)
            try check.finish()
            let (part, totalCount) = try self.read(project: project) { index, project in
                let list = CatalogList(method: name, project: project.id, storeID: self.registry.storeID)
                let page = try CatalogPage<Place>(size: size, position: position, of: list)
                let totalCount = count(index, project.id)
                let read = items(index, project.id, page.after, page.readCount(listCount: totalCount))
                return (page.cut(read, place: place), totalCount)
            }
            for item in part.items {
                _ = reply.append(message(arena, item), asElementOf: 1)
            }
            reply.append(
                arena.pageEnd(
                    response, nextPageToken: part.nextPageToken,
                    totalCount: includesTotal ? Int64(totalCount) : nil))
        }
    }
}
