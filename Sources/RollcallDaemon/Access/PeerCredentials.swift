// Who connects, by the kernel's word.

internal import CRollcallShims
internal import DeviceModel
internal import Glibc
internal import NIOCore

/// The process at the other end of a socket, as it was when it connected.
struct PeerCredentials {
    let userID: UInt32
    let groupID: UInt32
    /// 0 where it is in another namespace.
    let processID: Int32
    /// Supplementary ones. None where the kernel does not tell, as before Linux 4.13; rules go by the group alone then.
    let groupIDs: [UInt32]

    /// - Throws: `IOError` where the kernel says nothing, or more than may be.
    init(descriptor: Int32) throws {
        var credentials = rollcall_peer_credentials()
        let error = rollcall_peer_credentials_get(descriptor, &credentials)
        guard error == 0 else {
            throw IOError(errnoCode: error, reason: "SO_PEERCRED")
        }
        self.userID = credentials.uid
        self.groupID = credentials.gid
        self.processID = credentials.pid
        self.groupIDs = try Self.groups(descriptor, roomCount: 32)
    }

    /// - Parameter roomCount: how many groups are expected; more are asked for again, once.
    static func groups(_ descriptor: Int32, roomCount: Int) throws -> [UInt32] {
        var roomCount = roomCount
        while true {
            var (count, error) = (roomCount, Int32(0))
            let groups = [UInt32](unsafeUninitializedCapacity: roomCount) { buffer, initializedCount in
                error = rollcall_peer_groups_get(descriptor, buffer.baseAddress, &count)
                initializedCount = error == 0 ? count : 0
            }
            switch error {
            case 0:
                return groups
            case ERANGE where count > roomCount && count <= Limits.peerGroupCountMax:
                roomCount = count
            case ENOPROTOOPT:
                return []
            default:
                throw IOError(errnoCode: error, reason: "SO_PEERGROUPS")
            }
        }
    }
}
