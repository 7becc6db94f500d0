// Which socket the daemon serves: the service manager's, what an earlier process left with it, or one of its own.

internal import Glibc
internal import Logging

/// Where the daemon's socket comes from, found out before the store is opened.
enum SocketOrigin {
    /// The service manager made it and looks after its file.
    case passed(PassedSocket)
    /// It is made at the configured path. An earlier process may have made it already and stored it with the manager.
    case own(SocketLock, stored: PassedSocket?)

    /// - Throws: ``DaemonError`` with `configuration` where the settings name another path than that of the socket that
    /// was passed, with `start` where another daemon has the path.
    init(_ configuration: DaemonConfiguration, _ manager: ServiceManager) throws(DaemonError) {
        if let socket = manager.socket, !socket.isStored {
            guard configuration.socketPath == socket.path else {
                throw DaemonError(
                    .configuration,
                    "The socket is to be at \(configuration.socketPath), but the service manager passes one at \(socket.path) (\(socket.name)): take the setting out, or change ListenStream= in the socket unit."
                )
            }
            self = .passed(socket)
        } else {
            let lock = try ListeningSocket.lock(
                configuration.socketPath, mode: configuration.socketMode, groupID: configuration.socketGroupID)
            self = .own(lock, stored: manager.socket)
        }
    }

    /// Listens. A socket of its own is stored with the service manager, where there is one: callers of a daemon that
    /// restarts then wait for the next process instead of finding nobody.
    func listen(
        _ configuration: DaemonConfiguration, _ notifier: ServiceNotifier, _ logger: Logger
    ) throws(DaemonError) -> ListeningSocket {
        switch self {
        case .passed(let socket):
            return ListeningSocket(passed: socket)
        case .own(let lock, stored: let stored?) where stored.isBound(to: configuration.socketPath):
            return try ListeningSocket(
                stored: stored, path: configuration.socketPath, mode: configuration.socketMode,
                groupID: configuration.socketGroupID, lock: lock
            )
        case .own(let lock, let stored):
            if let stored {
                logger.notice(
                    "stored socket dropped",
                    metadata: ["stored": "\(stored.path)", "socket": "\(configuration.socketPath)"]
                )
                close(stored.descriptor)
                notifier.discard(name: stored.name)
            }
            let socket = try ListeningSocket(
                path: configuration.socketPath, mode: configuration.socketMode,
                groupID: configuration.socketGroupID, lock: lock, isStored: notifier.isConnected
            )
            if let name = socket.storeName {
                notifier.store(socket.descriptor, name: name)
            }
            return socket
        }
    }
}
