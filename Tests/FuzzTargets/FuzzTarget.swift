// What a fuzzer feeds: one target for each place where the bytes of a stranger are read.

/// A reader of bytes, and what it promises of any bytes at all.
package struct FuzzTarget: Sendable {
    package let name: String
    /// What is read, in a few words.
    package let summary: String
    /// A longer input finds nothing that a shorter one does not.
    package let byteCountMax: Int
    /// Words of the format, which a fuzzer puts together.
    package let words: [String]
    /// Inputs to begin with, under names of their own.
    package let seeds: @Sendable () throws -> [FuzzSeed]
    /// Feeds one input.
    ///
    /// - Throws: ``FuzzFinding`` where a promise is not kept.
    package let feed: @Sendable (_ input: [UInt8]) async throws -> Void

    init(
        _ name: String, _ summary: String, byteCountMax: Int, words: [String] = [],
        seeds: @escaping @Sendable () throws -> [FuzzSeed],
        feed: @escaping @Sendable (_ input: [UInt8]) async throws -> Void
    ) {
        self.name = name
        self.summary = summary
        self.byteCountMax = byteCountMax
        self.words = words
        self.seeds = seeds
        self.feed = feed
    }

    /// Every target.
    package static let all = [
        Self.ttrpcFrame, .ttrpcConnection, .http2Connection, .request, .filter, .pageToken, .deviceFile,
    ]
}

/// An input that is known to say something.
package struct FuzzSeed: Sendable {
    /// As a file is named.
    package let name: String
    package let bytes: [UInt8]

    init(_ name: String, _ bytes: some Sequence<UInt8>) {
        self.name = name
        self.bytes = Array(bytes)
    }

    init(_ name: String, _ text: String) {
        self.init(name, text.utf8)
    }
}

/// A promise that an input breaks.
package struct FuzzFinding: Error, CustomStringConvertible {
    /// A sentence.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Decisions, taken from the front of an input; one that is used up decides for zero.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.rest = bytes[...]
    }

    var isEmpty: Bool { self.rest.isEmpty }

    mutating func byte() -> UInt8 {
        self.rest.popFirst() ?? 0
    }

    /// Two bytes, the higher first.
    mutating func number() -> Int {
        Int(self.byte()) << 8 | Int(self.byte())
    }

    /// So many bytes, or as many as there are.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8> {
        defer { self.rest = self.rest.dropFirst(count) }
        return self.rest.prefix(count)
    }

    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[Int(self.byte()) % elements.count]
    }
}

extension ArraySlice<UInt8> {
    /// The bytes in pieces of `byteCount`, the last of which may be shorter; in one piece where that is 0.
    func pieces(of byteCount: Int) -> [ArraySlice<UInt8>] {
        guard byteCount > 0 else { return [self] }
        return stride(from: self.startIndex, to: self.endIndex, by: byteCount).map {
            self[$0..<Swift.min($0 + byteCount, self.endIndex)]
        }
    }
}
