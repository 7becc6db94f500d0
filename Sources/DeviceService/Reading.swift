// What the methods that only read have in common.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A method that answers at once, from what the registry holds.
    ///
    /// - Parameter answer: Writes the reply for a request, who made it being the third argument; throws to refuse it.
    func reading<Message>(
        _ name: MethodName,
        _ type: MessageType<Message>,
        _ answer: @escaping @Sendable (UnsafePointer<Message>, Arena, Peer, inout ByteBuffer) throws -> Void
    ) -> Method {
        Method(
            name,
            .immediate { (context, bytes, reply: inout ByteBuffer) throws(Status) in
                let peer = context.peer
                try self.decode(type, bytes) { message, arena in try answer(message, arena, peer, &reply) }
            }
        )
    }

    /// Decodes a request in the thread's arena and runs `body` on it; whatever goes wrong becomes a status.
    ///
    /// - Complexity: no allocation of its own where the request is well-formed.
    @inline(__always)
    func decode<Message, R>(
        _ type: MessageType<Message>,
        _ bytes: UnsafeRawBufferPointer,
        _ body: (_ message: UnsafePointer<Message>, _ arena: Arena) throws -> R
    ) throws(Status) -> R {
        let arena = Arena.current
        do {
            return try arena.decode(type, from: bytes) { try body(UnsafePointer($0), arena) }
        } catch {
            throw Status(reporting: error)
        }
    }

    /// Runs `body` on a project that must exist, under the registry's shared lock.
    ///
    /// - Throws: what `body` throws; `RegistryError` where there is no such project.
    func read<R>(
        project slug: String,
        _ body: (_ index: borrowing RegistryIndex, _ project: ProjectRecord) throws -> R
    ) throws -> R {
        try self.registry.read { (index: borrowing RegistryIndex) throws -> R in
            guard let project = index.project(slug: slug) else { throw RegistryError.projectNotFound(slug) }
            return try body(index, project)
        }
    }
}
