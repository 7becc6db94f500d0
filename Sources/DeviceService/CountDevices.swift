// rollcall.v1.Devices/CountDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// How many devices match, and how they divide.
    var countDevices: Method {
        self.querying(
            .devices("CountDevices"), Messages.countDevicesRequest,
            request: { message in CountDevicesRequest(message, limits: self.registry.limits) },
            answer: { request, index, project, reply in
                try self.append(to: &reply) { each in
                    try index.shortCount(request.query, in: project, now: self.registry.now(), each: each)
                }
            },
            begin: { request, index, project in
                try LongQuery(request.query, in: project, of: index, now: self.registry.now())
            },
            advance: { request, query, index, reply in
                try self.append(to: &reply) { each in
                    switch query.advance(index, each: { _ in false }, eachGroup: each) {
                    case .unfinished, .list, .selected: return nil
                    case .projectGone: throw RegistryError.projectNotFound(request.project)
                    case .count(let summary): return summary
                    }
                }
            }
        )
    }

    /// Writes a reply while the index shows the groups, so that nothing is collected; groups that would take it past its limit
    /// are counted with the others.
    ///
    /// - Parameter count: Shows each group to its argument; nil where that is not through, and then nothing is written.
    /// - Returns: whether it is written.
    private func append(
        to reply: inout ByteBuffer, _ count: (_ each: (BorrowedGroup) -> Bool) throws -> CountSummary?
    ) throws -> Bool {
        let start = reply.readableBytes
        return try Arena.current.scope { arena in
            let byteCountMax = start + self.registry.limits.pageByteCountMax
            var block = ElementBlock(arena)
            let summary = try count { group in
                if reply.readableBytes == start {
                    let beginning = arena.make(Messages.countDevicesResponse)
                    beginning.pointee.count = group.totalCount
                    reply.append(beginning)
                }
                return block.append(group, asElementOf: 2, of: &reply, byteCountMax: byteCountMax)
            }
            guard let summary else { return false }
            block.flush(to: &reply)
            let end = arena.make(Messages.countDevicesResponse)
            if reply.readableBytes == start { end.pointee.count = summary.count }
            end.pointee.other_count = summary.otherCount
            end.pointee.explanation = summary.explanation.map { arena.message($0) }
            reply.append(end)
            return true
        }
    }
}

/// What a request asks for.
private struct CountDevicesRequest: QueryRequest {
    let project: String
    let query: CountQuery
    let violations: [FieldViolation]

    init(_ message: UnsafePointer<Rollcall__V1__CountDevicesRequest>, limits: Limits) {
        var check = FieldCheck()
        self.project = check.project(message.pointee.project)
        self.query = check.countQuery(message, limits: limits)
        // The engine checks the filter too; asked here, it names what is wrong together with the rest.
        let asksActivity = self.query.groupBy.contains(.activity)
        check.filter(self.query.filter, valueCountMax: limits.filterValueCountMax, asksActivity: asksActivity)
        self.violations = check.violations
    }

    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation] {
        index.violations(of: self.query.filter, groupBy: self.query.groupBy, in: project)
    }
}
