// What the lists have in common: how a request names a page, and how a reply ends one.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

// The names are those that C has.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// The fields by which a request asks for a page, in the C struct of any list's request.
package protocol PageRequest: SendableMetatype {
    var page_size: Int32 { get set }
    var page_token: ProtobufCBinaryData { get set }
    var page: Int32 { get set }
    var include_total: protobuf_c_boolean { get set }
}

/// A request for a page of a list that belongs to a project.
package protocol ProjectPageRequest: PageRequest {
    var project: ProtobufCBinaryData { get set }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// What every list's reply says after its items.
package protocol PageResponse: SendableMetatype {
    var next_page_token: ProtobufCBinaryData { get set }
    var total_count: Int64 { get set }
}

extension Rollcall__V1__ListDevicesRequest: ProjectPageRequest {}
extension Rollcall__V1__ListProjectsRequest: PageRequest {}
extension Rollcall__V1__ListCohortsRequest: ProjectPageRequest {}
extension Rollcall__V1__ListReleasesRequest: ProjectPageRequest {}
extension Rollcall__V1__ListHardwareVersionsRequest: ProjectPageRequest {}
extension Rollcall__V1__ListAttributeKeysRequest: ProjectPageRequest {}

extension Rollcall__V1__ListDevicesResponse: PageResponse {}
extension Rollcall__V1__ListProjectsResponse: PageResponse {}
extension Rollcall__V1__ListCohortsResponse: PageResponse {}
extension Rollcall__V1__ListReleasesResponse: PageResponse {}
extension Rollcall__V1__ListHardwareVersionsResponse: PageResponse {}
extension Rollcall__V1__ListAttributeKeysResponse: PageResponse {}

// MARK: The server's side

extension FieldCheck {
    /// Which page a request asks for; where a field is bad, another value stands in for it.
    package mutating func page(
        _ message: some PageRequest, limits: Limits
    ) -> (size: Int, position: PagePosition, includesTotal: Bool) {
        let (size, number) = (message.page_size, message.page)
        if size < 0 {
            self.refuse("page_size", "must not be negative; 0 means \(limits.pageSizeDefault)")
        }
        if number < 0 {
            self.refuse("page", "must not be negative; pages count from 1")
        }
        if number != 0, !message.page_token.bytes.isEmpty {
            self.refuse("page", "must not be given together with page_token")
        }
        return (
            size: size <= 0 ? limits.pageSizeDefault : min(Int(size), limits.pageSizeMax),
            position: number > 0 ? .number(Int64(number)) : .token(message.page_token.string),
            includesTotal: message.include_total != 0
        )
    }
}

extension Arena {
    /// The fields of a reply that follow its list, as a message whose list is empty.
    ///
    /// - Parameter totalCount: Nil where the request did not ask.
    package func pageEnd<Response: PageResponse>(
        _ type: MessageType<Response>, nextPageToken: String, totalCount: Int64?
    ) -> UnsafeMutablePointer<Response> {
        let message = self.make(type)
        message.pointee.next_page_token = self.text(nextPageToken)
        message.pointee.total_count = totalCount ?? 0
        return message
    }
}

// MARK: The caller's side

extension Arena {
    /// A request for a page of a list that is not a project's.
    package func pageRequest<Request: PageRequest>(
        _ type: MessageType<Request>, pageSize: Int, position: PagePosition, includesTotal: Bool
    ) -> UnsafeMutablePointer<Request> {
        let request = self.make(type)
        request.pointee.page_size = Int32(clamping: pageSize)
        switch position {
        case .token(let token): request.pointee.page_token = self.text(token)
        case .number(let number): request.pointee.page = Int32(clamping: number)
        }
        request.pointee.include_total = includesTotal ? 1 : 0
        return request
    }

    /// A request for a page of a project's list.
    package func pageRequest<Request: ProjectPageRequest>(
        _ type: MessageType<Request>, project: String, pageSize: Int, position: PagePosition, includesTotal: Bool
    ) -> UnsafeMutablePointer<Request> {
        let request = self.pageRequest(
            type, pageSize: pageSize, position: position, includesTotal: includesTotal)
        request.pointee.project = self.text(project)
        return request
    }
}

extension Page {
    /// A reply's items, and what it says after them.
    init(_ items: [Item], endingAs response: some PageResponse) {
        self.init(
            items: items, nextPageToken: response.next_page_token.string, totalCount: response.total_count)
    }
}
