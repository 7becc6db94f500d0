// What a method is told of the call that it answers.

package import Access
internal import FoundationEssentials
package import NIOCore
internal import Synchronization

/// Who is at the other end of a connection, by the kernel's word, and what it may do.
package struct Peer: Sendable {
    package var userID: UInt32
    package var groupID: UInt32
    /// 0 where the kernel does not say.
    package var processID: Int32
    /// None unless somebody gives it some.
    package var rights: CallerRights

    package init(userID: UInt32, groupID: UInt32, processID: Int32, rights: CallerRights = CallerRights()) {
        self.userID = userID
        self.groupID = groupID
        self.processID = processID
        self.rights = rights
    }
}

/// A call's metadata: keys in lower case, in the order they came; a key may repeat.
package struct Metadata: Hashable, Sendable {
    package private(set) var pairs: [(key: String, value: String)]

    package init() {
        self.pairs = []
    }

    /// Adds a pair, its key lower-cased as both protocols have it.
    package mutating func append(key: String, value: String) {
        self.pairs.append((key.lowercased(), value))
    }

    /// Adds bytes under a key whose name ends in `-bin`, as base64.
    package mutating func append(key: String, bytes: some Sequence<UInt8>) {
        precondition(key.hasSuffix("-bin"), "The name of a key for bytes ends in -bin.")
        self.append(key: key, value: Data(bytes).base64EncodedString())
    }

    package var isEmpty: Bool {
        self.pairs.isEmpty
    }

    /// Every value of `key` (lower case), in order.
    package subscript(key: String) -> [String] {
        self.pairs.filter { $0.key == key }.map(\.value)
    }

    /// The bytes of every value of `key`, whose name ends in `-bin` and whose values are base64, padded or not; values that are
    /// none are left out. Several may stand in one value, between commas.
    package func bytes(_ key: String) -> [[UInt8]] {
        self[key].flatMap { $0.split(separator: ",") }.compactMap { value in
            let unpadded = value.trimmingPrefix { $0 == " " }.prefix { $0 != "=" && $0 != " " }
            let padding = String(repeating: "=", count: (4 - unpadded.utf8.count % 4) % 4)
            return Data(base64Encoded: unpadded + padding).map(Array.init)
        }
    }

    package static func == (left: Metadata, right: Metadata) -> Bool {
        left.pairs.elementsEqual(right.pairs, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        for pair in self.pairs {
            hasher.combine(pair.key)
            hasher.combine(pair.value)
        }
    }
}

/// One call as its method sees it: who calls, until when, and with which metadata.
package struct CallContext: Sendable {
    package let peer: Peer
    /// When the caller stops waiting; `.distantFuture` if it never does.
    package let deadline: NIODeadline
    package let metadata: Metadata
    /// Whether the protocol lets a caller give up. Where it does not, the end of a caller's messages is all that it can say.
    package let isCancellable: Bool
    /// Whether the call's event loop has been kept long enough in this turn, so that what can go on elsewhere should.
    package var isLoopBusy = false

    package init(peer: Peer, deadline: NIODeadline, metadata: Metadata, isCancellable: Bool = true) {
        self.isCancellable = isCancellable
        self.peer = peer
        self.deadline = deadline
        self.metadata = metadata
    }
}

/// Whether a queued call is still wanted: its caller may give up until the work is taken, and not after.
///
/// ## Concurrency
/// The transport abandons on its event loop while the worker takes on its own thread; exactly one of the two succeeds.
package final class CallClaim: Sendable {
    private enum State {
        static let waiting: UInt8 = 0
        static let taken: UInt8 = 1
        static let abandoned: UInt8 = 2
    }

    private let state = Atomic<UInt8>(State.waiting)

    package init() {}

    /// Whether the caller has given up.
    package var isAbandoned: Bool {
        self.state.load(ordering: .acquiring) == State.abandoned
    }

    /// Takes the call for work that will now complete; false where the caller gave up first.
    package func take() -> Bool {
        self.state.compareExchange(expected: State.waiting, desired: State.taken, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// Gives the call up; false where the work was taken first and will complete.
    @discardableResult
    package func abandon() -> Bool {
        self.state.compareExchange(expected: State.waiting, desired: State.abandoned, ordering: .acquiringAndReleasing)
            .exchanged
    }
}
