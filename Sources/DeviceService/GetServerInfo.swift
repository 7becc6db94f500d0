// rollcall.v1.Server/GetServerInfo

internal import Access
internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import FoundationEssentials
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// What this server is, and who its caller is taken for.
    var getServerInfo: Method {
        self.readingServer(.server("GetServerInfo"), Messages.getServerInfoRequest) { _, arena, peer, reply in
            let uptime = NIODeadline.now() - self.startedAt
            let info = ServerInfo(
                version: RollcallVersion.current,
                storeID: self.registry.storeID.uuidString.lowercased(),
                revision: self.registry.revision.rawValue,
                uptime: .nanoseconds(uptime.nanoseconds),
                caller: ServerInfo.Caller(
                    userID: peer.userID, groupID: peer.groupID, processID: peer.processID,
                    groupIDs: peer.rights.groupIDs, roles: peer.rights.grants.listed),
                limits: self.registry.limits.reported.map {
                    ServerInfo.Limit(name: $0.name, value: $0.value, unit: $0.unit)
                },
                memory: self.registry.memory,
                store: self.registry.storeState
            )
            reply.append(arena.message(info))
        }
    }
}

extension Grants {
    /// For whom they belong to: first those that hold in every project.
    fileprivate var listed: [ServerInfo.GrantedRoles] {
        let everywhere = self.everywhere.names
        return (everywhere.isEmpty ? [] : [ServerInfo.GrantedRoles(project: nil, roles: everywhere)])
            + self.projects.map { ServerInfo.GrantedRoles(project: $0.slug, roles: $0.roles.names) }
    }
}
