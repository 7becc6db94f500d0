// The server's side of ttrpc on an accepted channel.

package import Logging
package import NIOCore
package import RPC

extension ServerConnection {
    /// Serves `methods` by ttrpc. On the channel's event loop.
    ///
    /// - Throws: whatever the channel throws, when it is closed already.
    package static func ttrpc(
        _ channel: any Channel, methods: MethodTable, peer: Peer, limits: ConnectionLimits,
        ledger: ByteLedger = ByteLedger(), logger: Logger
    ) throws -> ServerConnection {
        // A client that half-closes its socket still waits for its replies.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        return try ServerConnection(channel, peer: peer, limits: limits, ledger: ledger) {
            mailbox, startStream, outputMarkByteCount, account in
            let connection = StreamConnection(
                mailbox: mailbox,
                gate: OutputGate(byteCountMax: outputMarkByteCount),
                budget: InputBudget(byteCountMax: limits.undeliveredInputByteCountMax) {
                    mailbox.post(.inputConsumed(nil))
                },
                limits: limits,
                logger: logger
            )
            return ServerHandler(
                methods: methods, peer: peer, streams: connection, startStream: startStream, account: account)
        }
    }
}
