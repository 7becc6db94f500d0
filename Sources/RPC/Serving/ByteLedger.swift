// What waits for slow peers over all connections together, and whose connection is ended when that is too much.

internal import NIOCore
internal import Synchronization

/// Bounds what all connections together keep for their peers: output that is not read, messages whose end has not come,
/// and messages of streams that are not taken.
///
/// Over the bound, connections are ended: of the user for whom most is kept, the one that has held the most bytes for
/// the longest time. So who keeps up is not ended for those who do not, and no user is for another.
///
/// ## Concurrency
/// Called on every event loop. A connection counts only while something of it waits, so those whose peers keep up never
/// come here; those that are ended are told after the lock is let go.
package final class ByteLedger: Sendable {
    fileprivate struct Entry {
        let userID: UInt32
        let since: NIODeadline
        var byteCount: Int
        let end: @Sendable () -> Void
    }

    fileprivate struct State {
        var entries: [UInt64: Entry] = [:]
        var byteCount = 0
        var byteCountByUser: [UInt32: Int] = [:]
        /// Told to end, and not gone yet: what they hold is counted no more.
        var ended: [UInt64: Int] = [:]
    }

    package let byteCountMax: Int
    package let byteCountMaxPerUser: Int
    private let connectionEnded: @Sendable (_ userID: UInt32, _ byteCount: Int) -> Void
    private let released: @Sendable (_ byteCount: Int) -> Void
    private let nextNumber = Atomic<UInt64>(0)
    private let state = Mutex(State())
    /// Whether more waits than may for one user.
    private let isMuch = Atomic(false)

    /// - Parameters:
    ///   - byteCountMax: how much may wait.
    ///   - byteCountMaxPerUser: with more than this a user is behind.
    ///   - connectionEnded: Told of each connection that is ended, on whichever loop went over the bound.
    ///   - released: Told of bytes that wait no more.
    package init(
        byteCountMax: Int = .max,
        byteCountMaxPerUser: Int = .max,
        connectionEnded: @escaping @Sendable (_ userID: UInt32, _ byteCount: Int) -> Void = { _, _ in },
        released: @escaping @Sendable (_ byteCount: Int) -> Void = { _ in }
    ) {
        self.byteCountMax = byteCountMax
        self.byteCountMaxPerUser = byteCountMaxPerUser
        self.released = released
        self.connectionEnded = connectionEnded
    }

    /// What waits now.
    package var byteCount: Int {
        self.state.withLock { $0.byteCount }
    }

    /// Whether more waits for a user than may before it is given no long answers. On any thread.
    package func isBehind(_ userID: UInt32) -> Bool {
        // Seldom so, and asked often.
        self.isMuch.load(ordering: .relaxed)
            && self.state.withLock { $0.byteCountByUser[userID, default: 0] > self.byteCountMaxPerUser }
    }

    /// An account for one more connection.
    ///
    /// - Parameter end: Ends the connection; called at most once, on any thread.
    package func account(userID: UInt32, end: @escaping @Sendable () -> Void) -> ByteAccount {
        let number = self.nextNumber.wrappingAdd(1, ordering: .relaxed).newValue
        return ByteAccount { byteCount in
            self.set(number, byteCount) { Entry(userID: userID, since: .now(), byteCount: byteCount, end: end) }
        }
    }

    private func set(_ number: UInt64, _ byteCount: Int, _ makeEntry: () -> Entry) {
        let (releasedByteCount, victims) = self.state.withLock { state -> (Int, [Entry]) in
            let released = -state.set(number, byteCount, makeEntry)
            var victims: [Entry] = []
            while state.byteCount > self.byteCountMax, let victim = state.takeVictim() {
                victims.append(victim)
            }
            self.isMuch.store(state.byteCount > self.byteCountMaxPerUser, ordering: .relaxed)
            return (released, victims)
        }
        if releasedByteCount > 0 {
            self.released(releasedByteCount)
        }
        for victim in victims {
            victim.end()
            self.connectionEnded(victim.userID, victim.byteCount)
        }
    }
}

extension ByteLedger.State {
    /// Returns by how much what waits has grown.
    fileprivate mutating func set(_ number: UInt64, _ byteCount: Int, _ makeEntry: () -> ByteLedger.Entry) -> Int {
        if let endedByteCount = self.ended[number] {
            guard byteCount == 0 else { return 0 }
            self.ended[number] = nil
            return -endedByteCount
        }
        var entry = self.entries[number] ?? makeEntry()
        let change = byteCount - (self.entries[number]?.byteCount ?? 0)
        self.count(change, of: entry.userID)
        entry.byteCount = byteCount
        self.entries[number] = byteCount == 0 ? nil : entry
        return change
    }

    private mutating func count(_ change: Int, of userID: UInt32) {
        self.byteCount += change
        let ofUser = self.byteCountByUser[userID, default: 0] + change
        self.byteCountByUser[userID] = ofUser == 0 ? nil : ofUser
    }

    /// Takes out who is to end.
    ///
    /// - Complexity: linear in the connections of which something waits.
    fileprivate mutating func takeVictim() -> ByteLedger.Entry? {
        guard let userID = self.byteCountByUser.max(by: { $0.value < $1.value })?.key else { return nil }
        let now = NIODeadline.now()
        let ofUser = self.entries.lazy.filter { $0.value.userID == userID }
        let victim = ofUser.max { $0.value.harm(now) < $1.value.harm(now) }
        guard let victim else { return nil }
        self.entries[victim.key] = nil
        self.ended[victim.key] = victim.value.byteCount
        self.count(-victim.value.byteCount, of: userID)
        return victim.value
    }
}

extension ByteLedger.Entry {
    /// Bytes times the time that something has waited.
    fileprivate func harm(_ now: NIODeadline) -> Double {
        Double(self.byteCount) * Double(max(1, (now - self.since).nanoseconds))
    }
}

/// What one connection has in its ledger. On the connection's event loop only.
package final class ByteAccount {
    private let change: (_ byteCount: Int) -> Void
    private(set) var byteCount = 0

    fileprivate init(_ change: @escaping (_ byteCount: Int) -> Void) {
        self.change = change
    }

    /// Tells the ledger how much waits now; costs a comparison while that is what it was.
    @inline(__always)
    func set(byteCount: Int) {
        if byteCount != self.byteCount {
            self.byteCount = byteCount
            self.change(byteCount)
        }
    }
}
