// grpc.reflection.v1 and v1alpha: what the server's services and messages look like, for tools that call any of them.

package import Descriptors
internal import NIOCore
internal import ProtobufC
package import RPC

/// Answers questions about proto files from a pool of descriptors.
///
/// The two versions differ in the name of their package and in nothing that is on the wire, so that one implementation
/// reads and writes both.
package struct ReflectionService: Sendable {
    /// The names under which the service is answered for.
    package static let names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

    let pool: DescriptorPool
    /// Full names of all services of the server, in order.
    let services: [String]

    /// - Parameters:
    ///   - pool: What is declared, with the services among it.
    ///   - services: Full names of the services that the server answers for, apart from this one.
    package init(pool: DescriptorPool = .embedded, services: some Sequence<String>) {
        self.pool = pool
        self.services = Set(services).union(Self.names).sorted()
    }

    /// Every method, for a transport's table.
    package var methods: [Method] {
        Self.names.map { service in
            Method(
                MethodName(service: service, method: "ServerReflectionInfo"),
                .stream(.bidirectional) { _, requests, responses in
                    var sent = SentFiles()
                    for try await request in requests {
                        try await responses.write(self.answer(request, &sent))
                    }
                }
            )
        }
    }
}
