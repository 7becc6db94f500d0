// rollcall.v1.Devices/ListDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of the devices that match.
    var listDevices: Method {
        self.querying(
            .devices("ListDevices"), Messages.listDevicesRequest,
            request: { message in ListDevicesRequest(message, limits: self.registry.limits) },
            answer: { request, index, project, reply in
                let page = try self.appendDevices(of: request, to: &reply) { each in
                    try index.shortList(request.query, in: project, now: self.registry.now(), each: each)
                }
                guard let page else { return false }
                self.append(page, to: &reply)
                return true
            },
            begin: { request, index, project in
                try LongQuery(request.query, in: project, of: index, now: self.registry.now())
            },
            advance: { request, query, index, reply in
                let progress = self.appendDevices(of: request, to: &reply) {
                    query.advance(index, each: $0, eachGroup: { _ in false })
                }
                switch progress {
                case .unfinished, .count, .selected: return false
                case .projectGone: throw RegistryError.projectNotFound(request.project)
                case .list(let page):
                    self.append(page, to: &reply)
                    return true
                }
            }
        )
    }

    /// Writes the page's devices as elements of the reply while the index walks them, so that nothing is collected.
    ///
    /// - Parameter walk: Shows each device of the page to its argument.
    private func appendDevices<R, Failure: Error>(
        of request: ListDevicesRequest,
        to reply: inout ByteBuffer,
        _ walk: (_ each: (BorrowedDevice) -> Bool) throws(Failure) -> R
    ) throws(Failure) -> R {
        let byteCountMax = reply.readableBytes + self.registry.limits.pageByteCountMax
        let storeTag = self.registry.storeTag
        return try Arena.current.scope { arena throws(Failure) in
            var block = ElementBlock(arena)
            var isFirst = true
            let result = try walk { device in
                // The first device is taken whatever its size: a page without one would not lead on.
                let byteCountMax = isFirst ? .max : byteCountMax
                isFirst = false
                return block.append(
                    device, request.view, storeTag: storeTag, asElementOf: 1, of: &reply, byteCountMax: byteCountMax)
            }
            block.flush(to: &reply)
            return result
        }
    }

    /// Writes what a reply says after its devices.
    private func append(_ page: ListPage, to reply: inout ByteBuffer) {
        Arena.current.scope { arena in
            let message = arena.pageEnd(
                Messages.listDevicesResponse, nextPageToken: page.nextPageToken, totalCount: page.totalCount)
            message.pointee.explanation = page.explanation.map { arena.message($0) }
            reply.append(message)
        }
    }
}

/// What a request asks for.
private struct ListDevicesRequest: QueryRequest {
    let project: String
    let query: ListQuery
    let view: DeviceView
    let violations: [FieldViolation]

    init(_ message: UnsafePointer<Rollcall__V1__ListDevicesRequest>, limits: Limits) {
        var check = FieldCheck()
        self.project = check.project(message.pointee.project)
        self.query = check.listQuery(message, limits: limits)
        self.view = check.view(message.pointee.view)
        // The engine checks the filter too; asked here, it names what is wrong together with the rest. The token is its
        // own to check: it means something only next to a filter and a sort that are in order.
        check.filter(self.query.filter, valueCountMax: limits.filterValueCountMax)
        self.violations = check.violations
    }

    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation] {
        index.violations(of: self.query.filter, sort: self.query.sort, in: project)
    }
}
