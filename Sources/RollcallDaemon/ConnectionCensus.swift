// How many connections there are, of whom, and whether there may be one more.

/// Counts connections in all and by user.
struct ConnectionCensus {
    /// Why a connection is turned away.
    enum Refusal: String, Hashable, Sendable {
        case draining
        case tooMany = "too many connections"
        case tooManyOfUser = "too many connections of the user"
        case unknownProtocol = "neither ttrpc nor HTTP/2"
    }

    private let countMax: Int
    private let countMaxPerUser: Int
    private(set) var count = 0
    private var countByUser: [UInt32: Int] = [:]
    private(set) var isDraining = false

    init(countMax: Int, countMaxPerUser: Int) {
        self.countMax = countMax
        self.countMaxPerUser = countMaxPerUser
    }

    /// Counts one more connection of the user, or says why not.
    mutating func arrived(_ userID: UInt32) -> Refusal? {
        guard !self.isDraining else {
            return .draining
        }
        guard self.count < self.countMax else {
            return .tooMany
        }
        guard self.countByUser[userID, default: 0] < self.countMaxPerUser else {
            return .tooManyOfUser
        }
        self.count += 1
        self.countByUser[userID, default: 0] += 1
        return nil
    }

    /// A connection that was counted is gone.
    mutating func left(_ userID: UInt32) {
        let remaining = self.countByUser[userID, default: 0] - 1
        precondition(remaining >= 0, "A connection left that never arrived.")
        self.count -= 1
        self.countByUser[userID] = remaining == 0 ? nil : remaining
    }

    /// No more connections from here on.
    mutating func drainStarted() {
        self.isDraining = true
    }
}
