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
                let count = try index.shortCount(request.query, in: project, now: self.registry.now())
                guard let count else { return false }
                self.append(count, to: &reply)
                return true
            },
            begin: { request, index, project in
                try LongQuery(request.query, in: project, of: index, now: self.registry.now())
            },
            advance: { request, query, index, reply in
                switch query.advance(index, each: { _ in false }) {
                case .unfinished, .list, .selected: return false
                case .projectGone: throw RegistryError.projectNotFound(request.project)
                case .count(let count):
                    self.append(count, to: &reply)
                    return true
                }
            }
        )
    }

    private func append(_ count: DeviceCount, to reply: inout ByteBuffer) {
        Arena.current.scope { arena in
            reply.append(count, byteCountMax: self.registry.limits.pageByteCountMax, arena)
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
        check.filter(self.query.filter, limits: limits, asksActivity: asksActivity)
        self.violations = check.violations
    }

    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation] {
        index.violations(of: self.query.filter, groupBy: self.query.groupBy, in: project)
    }
}

extension ByteBuffer {
    /// A reply; groups that would take it past `byteCountMax` are counted with the others.
    fileprivate mutating func append(_ count: DeviceCount, byteCountMax: Int, _ arena: Arena) {
        let byteCountMax = self.readableBytes + byteCountMax
        let beginning = arena.make(Messages.countDevicesResponse)
        beginning.pointee.count = count.count
        self.append(beginning)
        let end = arena.make(Messages.countDevicesResponse)
        end.pointee.other_count = count.otherCount
        var isFull = false
        for group in count.groups {
            isFull =
                isFull
                || arena.scope { arena in
                    !self.append(arena.message(group), asElementOf: 2, byteCountMax: byteCountMax)
                }
            if isFull {
                end.pointee.other_count += group.count
            }
        }
        end.pointee.explanation = count.explanation.map { arena.message($0) }
        self.append(end)
    }
}
