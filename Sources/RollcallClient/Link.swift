// The client's one connection: made when a call needs it, made anew when it was lost.

internal import DeviceModel
internal import Logging
internal import NIOCore
internal import RPC
internal import TTRPC

/// Hands out the connection that calls share.
///
/// ## Concurrency
/// Calls that find no connection wait for the one of them that makes it, and look again when it is done.
actor Link {
    private enum State {
        case idle
        case connecting([CheckedContinuation<Void, Never>])
        case connected(TTRPCClient)
        case closed
    }

    private let addresses: [ServerAddress]
    private let eventLoopGroup: any EventLoopGroup
    private var state = State.idle

    /// - Parameter addresses: At least one; the next is tried where there is nothing at the one before.
    init(addresses: [ServerAddress], eventLoopGroup: any EventLoopGroup) {
        precondition(!addresses.isEmpty, "A link needs an address.")
        self.addresses = addresses
        self.eventLoopGroup = eventLoopGroup
    }

    /// The connection, which lives as far as this side knows.
    ///
    /// - Throws: ``RollcallError`` UNAVAILABLE naming every path tried, DEADLINE_EXCEEDED if none accepted before
    ///   `deadline`, or CANCELLED after ``close()``.
    func connection(deadline: NIODeadline?) async throws(RollcallError) -> TTRPCClient {
        while true {
            switch self.state {
            case .connected(let client) where client.isActive:
                return client
            case .idle, .connected:
                return try await self.connect(deadline: deadline)
            case .connecting:
                // A connect over a Unix socket ends at once, well or not, so this wait needs no deadline of its own.
                await withCheckedContinuation { continuation in
                    self.addWaiter(continuation)
                }
            case .closed:
                throw RollcallError(.cancelled, "The client was closed.", reason: "CANCELLED")
            }
        }
    }

    /// Ends the connection and every call on it; later calls fail.
    func close() async {
        let state = self.state
        self.state = .closed
        switch state {
        case .connected(let client): await client.close()
        case .connecting(let waiters): waiters.forEach { $0.resume() }
        case .idle, .closed: break
        }
    }

    private func addWaiter(_ waiter: CheckedContinuation<Void, Never>) {
        guard case .connecting(let waiters) = self.state else {
            waiter.resume()
            return
        }
        self.state = .connecting(waiters + [waiter])
    }

    private func connect(deadline: NIODeadline?) async throws(RollcallError) -> TTRPCClient {
        self.state = .connecting([])
        let result = await self.attemptAll(deadline: deadline)
        switch self.state {
        case .connecting(let waiters):
            switch result {
            case .success(let client): self.state = .connected(client)
            case .failure: self.state = .idle
            }
            waiters.forEach { $0.resume() }
        case .idle, .connected, .closed:
            // Closed meanwhile: no one else would end what was just made.
            if case .success(let client) = result {
                await client.close()
            }
            throw RollcallError(.cancelled, "The client was closed.", reason: "CANCELLED")
        }
        return try result.get()
    }

    private func attemptAll(deadline: NIODeadline?) async -> Result<TTRPCClient, RollcallError> {
        var attempts: [ConnectionAttempt] = []
        for address in self.addresses {
            do throws(ConnectionAttempt) {
                return .success(try await self.attempt(address, deadline: deadline))
            } catch {
                attempts.append(error)
                // Something is there, so it is the server that was meant, and it cannot be had.
                guard error.cause == .noSocket else { break }
            }
        }
        return .failure(.unreachable(attempts))
    }

    private func attempt(
        _ address: ServerAddress, deadline: NIODeadline?
    ) async throws(ConnectionAttempt) -> TTRPCClient {
        guard address.path.utf8.count <= Limits.socketPathByteCountMax else {
            throw ConnectionAttempt(path: address.path, cause: .tooLong)
        }
        do throws(ConnectError) {
            return try await TTRPCClient.connect(
                path: address.path,
                limits: Self.connectionLimits,
                timeout: deadline.map { .nanoseconds(max(0, ($0 - .now()).nanoseconds)) },
                eventLoopGroup: self.eventLoopGroup,
                logger: Logger(label: "rollcall.client") { _ in SwiftLogNoOpLogHandler() }
            )
        } catch {
            throw ConnectionAttempt(path: address.path, cause: .init(error))
        }
    }

    private static let connectionLimits: ConnectionLimits = {
        let limits = Limits()
        return ConnectionLimits(
            messageByteCountMax: limits.messageByteCountMax,
            callCountMax: limits.callCountMaxPerConnection,
            queuedOutputByteCountMax: limits.queuedOutputByteCountMax,
            undeliveredInputByteCountMax: limits.undeliveredInputByteCountMax,
            partialInputByteCountMax: limits.partialInputByteCountMax
        )
    }()
}
