// How many connections there are, of whom, and whether there may be one more.

internal import DeviceModel
internal import RPC

/// Counts connections in all, by user and by process.
///
/// The last places are a reserve: whoever has hardly any connection gets one there, when one user holds all others.
struct ConnectionCensus {
    /// Why a connection is turned away.
    enum Refusal: Hashable, Sendable {
        case draining
        case tooMany(countMax: Int)
        case tooManyOfUser(countMax: Int)
        case unknownProtocol
    }

    private let countMax: Int
    private let countMaxPerUser: Int
    /// Places for users with few connections, the last of which are for root's and the daemon's own processes.
    private let reserveCount: Int
    private let operatorReserveCount: Int
    private let assuredCount: Int
    private let operatorUserIDs: Set<UInt32>
    private(set) var count = 0
    private var countByUser: [UInt32: Int] = [:]
    private var countByProcess: [Int32: Int] = [:]
    private(set) var isDraining = false

    /// - Parameters:
    ///   - limits: how many connections there may be, and how many of them are reserved.
    ///   - userID: who the daemon runs as.
    init(_ limits: Limits, userID: UInt32) {
        self.countMax = limits.connectionCountMax
        self.countMaxPerUser = limits.connectionCountMaxPerUser
        // Where few are allowed at all, most of them are for everybody.
        self.reserveCount = min(limits.connectionReserveCount, limits.connectionCountMax / 4)
        self.operatorReserveCount = min(limits.connectionOperatorReserveCount, limits.connectionCountMax / 16)
        self.assuredCount = limits.connectionAssuredCountPerUser
        self.operatorUserIDs = [0, userID]
    }

    /// Counts one more connection of the peer, or says why not.
    mutating func arrived(_ peer: Peer) -> Refusal? {
        guard !self.isDraining else {
            return .draining
        }
        guard self.count < self.countMax, self.mayTakePlace(peer) else {
            return .tooMany(countMax: self.countMax)
        }
        guard self.countByUser[peer.userID, default: 0] < self.countMaxPerUser else {
            return .tooManyOfUser(countMax: self.countMaxPerUser)
        }
        self.count += 1
        self.countByUser[peer.userID, default: 0] += 1
        self.countByProcess[peer.processID, default: 0] += 1
        return nil
    }

    /// Whether the next place, or one of the reserve, is the peer's to take.
    private func mayTakePlace(_ peer: Peer) -> Bool {
        let freeCount = self.countMax - self.count
        guard freeCount <= self.reserveCount else {
            return true
        }
        // An operator's process counts alone: it is what can tell which other to end.
        if self.operatorUserIDs.contains(peer.userID) {
            return self.countByProcess[peer.processID, default: 0] < self.assuredCount
        }
        return freeCount > self.operatorReserveCount && self.countByUser[peer.userID, default: 0] < self.assuredCount
    }

    /// A connection that was counted is gone.
    mutating func left(_ peer: Peer) {
        precondition(self.countByUser[peer.userID] != nil, "A connection left that never arrived.")
        self.count -= 1
        Self.decrement(&self.countByUser[peer.userID])
        Self.decrement(&self.countByProcess[peer.processID])
    }

    private static func decrement(_ count: inout Int?) {
        count = count.flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    /// No more connections from here on.
    mutating func drainStarted() {
        self.isDraining = true
    }
}

extension ConnectionCensus.Refusal: CustomStringConvertible {
    var description: String {
        switch self {
        case .draining: "The server is shutting down."
        case .tooMany(let countMax): "The server has \(countMax) connections, as many as it may (connections)."
        case .tooManyOfUser(let countMax):
            "The user has \(countMax) connections, as many as it may (connections_per_uid)."
        case .unknownProtocol: "The connection speaks neither ttrpc nor HTTP/2."
        }
    }
}
