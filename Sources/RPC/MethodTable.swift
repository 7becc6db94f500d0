// From the bytes of a method's name to the method, without a String.

internal import Glibc
package import NIOCore

/// A method's place in its table.
package struct MethodIndex: Hashable, Sendable {
    /// 0 for no method of the table, else one more than the method's index.
    let rawValue: Int

    init(_ index: Int) {
        self.rawValue = index + 1
    }

    /// The place of all calls that come to no method.
    package static let unknown = Self(-1)
}

/// Every method that a server answers.
///
/// - Complexity: a look-up hashes at most sixteen bytes and compares one name; it allocates nothing.
package struct MethodTable: Sendable {
    package enum Lookup: Sendable {
        case found(Method, MethodIndex)
        case unknownMethod
        case unknownService
    }

    private struct Entry: Sendable {
        let service: [UInt8]
        let name: [UInt8]
        let method: Method
    }

    package let methods: [Method]
    /// Where calls of the methods are counted.
    package let metrics: CallMetrics
    private let names: [MethodName]
    private let entries: [Entry]
    /// Open addressing: an entry's index plus one, 0 where free. A power of two, at most half full.
    private let slots: [Int32]

    /// - Precondition: no method is given twice.
    package init(_ methods: [Method], metrics: CallMetrics = CallMetrics()) {
        self.methods = methods
        self.metrics = metrics
        self.names = methods.map(\.name)
        self.entries = methods.map {
            Entry(service: Array($0.name.service.utf8), name: Array($0.name.method.utf8), method: $0)
        }
        var count = 16
        while count < methods.count * 2 {
            count *= 2
        }
        var slots = [Int32](repeating: 0, count: count)
        for (index, entry) in self.entries.enumerated() {
            var slot = entry.service.withUnsafeBytes { service in
                entry.name.withUnsafeBytes { Self.hash(service: service, name: $0) }
            }
            while slots[slot & (count - 1)] != 0 {
                let other = self.entries[Int(slots[slot & (count - 1)]) - 1]
                precondition(other.method.name != entry.method.name, "\(entry.method.name) is in the table twice.")
                slot += 1
            }
            slots[slot & (count - 1)] = Int32(index + 1)
        }
        self.slots = slots
    }

    package func lookup(service: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer) -> Lookup {
        var slot = Self.hash(service: service, name: method)
        while true {
            let index = Int(self.slots[slot & (self.slots.count - 1)])
            guard index != 0 else {
                let isServiceKnown = self.entries.contains { $0.service.elementsEqual(service) }
                return isServiceKnown ? .unknownMethod : .unknownService
            }
            // Field by field: a copy of the entry would retain and release each of its parts.
            if Self.areEqual(self.entries[index - 1].name, method),
                Self.areEqual(self.entries[index - 1].service, service)
            {
                return .found(self.entries[index - 1].method, MethodIndex(index - 1))
            }
            slot += 1
        }
    }

    /// The counters of the methods' calls by a protocol on an event loop.
    package func counters(_ wire: String, on eventLoop: any EventLoop) -> CallCounters {
        self.metrics.counters(wire, on: eventLoop, names: self.names)
    }

    /// Mixes the lengths and the first eight bytes of the method's name and the last eight of the service's.
    private static func hash(service: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer) -> Int {
        var mixed = UInt64(truncatingIfNeeded: service.count &* 31 &+ name.count)
        mixed = (mixed ^ Self.word(name, at: 0)) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ Self.word(service, at: max(0, service.count - 8))) &* 0x9E37_79B9_7F4A_7C15
        return Int(mixed >> 40)
    }

    /// The eight bytes at `index`, or as many as there are.
    private static func word(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt64 {
        guard bytes.count - index < 8 else {
            return bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        }
        return bytes[index...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func areEqual(_ bytes: [UInt8], _ other: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == other.count, let start = other.baseAddress else {
            return bytes.count == other.count
        }
        return bytes.withUnsafeBytes { $0.baseAddress.map { memcmp($0, start, other.count) == 0 } ?? true }
    }
}
