// The connections that are open now, so that a drain reaches each of them.

internal import DeviceModel
internal import NIOCore
internal import RPC
internal import Synchronization

/// Every open connection of a listener.
///
/// ## Concurrency
/// Connections come and go on their event loops while a drain comes from anywhere; the mutex holds the values, and
/// channels are touched after it is let go.
final class ConnectionTable: Sendable {
    private struct Member {
        /// Nil while its first byte is waited for.
        var connection: ServerConnection?
        let channel: any Channel
    }

    private struct State {
        var census: ConnectionCensus
        var members: [ObjectIdentifier: Member] = [:]
    }

    private let state: Mutex<State>
    private let memory: MemoryReturn

    /// - Parameters:
    ///   - userID: who the daemon runs as.
    ///   - memory: Told what connections that are gone have let go of.
    init(_ limits: Limits, userID: UInt32, memory: MemoryReturn) {
        self.memory = memory
        self.state = Mutex(State(census: ConnectionCensus(limits, userID: userID)))
    }

    /// Counts a connection of `peer` until `channel` closes, or says why it is refused. On the channel's event loop.
    func admit(_ channel: any Channel, _ peer: Peer) -> ConnectionCensus.Refusal? {
        let key = ObjectIdentifier(channel)
        let refusal = self.state.withLock { state in
            let refusal = state.census.arrived(peer)
            if refusal == nil {
                state.members[key] = Member(channel: channel)
            }
            return refusal
        }
        if let refusal {
            return refusal
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock {
                $0.members[key] = nil
                $0.census.left(peer)
            }
            self.memory.released(byteCount: MemoryReturn.connectionByteCount)
        }
        return nil
    }

    /// Makes what serves an admitted channel known to drains; false where one has started, and the connection is not wanted.
    func add(_ connection: ServerConnection, _ channel: any Channel) -> Bool {
        self.state.withLock {
            guard !$0.census.isDraining else {
                return false
            }
            $0.members[ObjectIdentifier(channel)]?.connection = connection
            return true
        }
    }

    /// Admits nobody from here on and drains every connection, closing those that have not said a word; answers how many there are.
    @discardableResult
    func drain() -> Int {
        let members = self.state.withLock {
            $0.census.drainStarted()
            return Array($0.members.values)
        }
        for member in members {
            if let connection = member.connection {
                connection.drain()
            } else {
                member.channel.close(promise: nil)
            }
        }
        return members.count
    }

    /// Closes what is still open; answers how many there were.
    func closeAll() -> Int {
        let members = self.state.withLock { Array($0.members.values) }
        for member in members {
            member.channel.close(promise: nil)
        }
        return members.count
    }
}
