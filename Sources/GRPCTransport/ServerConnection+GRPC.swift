// The server's side of gRPC on an accepted channel.

package import Logging
package import NIOCore
package import RPC

extension ServerConnection {
    /// Serves `methods` by gRPC over HTTP/2. On the channel's event loop.
    ///
    /// - Throws: whatever the channel throws, when it is closed already.
    package static func grpc(
        _ channel: any Channel, methods: MethodTable, peer: Peer, limits: ConnectionLimits,
        ledger: ByteLedger = ByteLedger(), logger: Logger
    ) throws -> ServerConnection {
        try ServerConnection(channel, peer: peer, limits: limits, ledger: ledger) {
            mailbox, startStream, _, account in
            ServerHandler(
                methods: methods, peer: peer, limits: limits, mailbox: mailbox, logger: logger,
                startStream: startStream, account: account
            )
        }
    }
}
