// How many bytes may go one way, on a stream or on a connection (RFC 9113, section 5.2).

/// A window of flow control.
struct FlowWindow: Hashable {
    static let byteCountDefault = 65_535
    private static let byteCountMax = Int(Int32.max)

    /// What may still go; below zero where the peer has made the window smaller than what was on its way.
    private(set) var byteCount: Int

    init(byteCount: Int = Self.byteCountDefault) {
        self.byteCount = byteCount
    }

    /// Takes what goes; false where it is more than may.
    mutating func take(byteCount: Int) -> Bool {
        guard byteCount <= self.byteCount else { return false }
        self.byteCount -= byteCount
        return true
    }

    /// Widens the window, or narrows it; false where it would become wider than any may be.
    mutating func add(byteCount: Int) -> Bool {
        guard self.byteCount + byteCount <= Self.byteCountMax else { return false }
        self.byteCount += byteCount
        return true
    }
}

/// The receiving end of a window: when to tell the peer that it may send more.
struct ReceiveWindow: Hashable {
    private let byteCountMax: Int
    private var window: FlowWindow
    /// Received, and not wanted to be received again yet.
    private var heldByteCount = 0

    init(byteCount: Int) {
        self.byteCountMax = byteCount
        self.window = FlowWindow(byteCount: byteCount)
    }

    /// Takes what came; false where the peer sent more than it may.
    mutating func receive(byteCount: Int) -> Bool {
        self.heldByteCount += byteCount
        return self.window.take(byteCount: byteCount)
    }

    /// What to open the window by, now that what came is out of the way; nil while that is not worth a frame.
    mutating func release() -> Int? {
        guard self.heldByteCount >= self.byteCountMax / 2 else { return nil }
        defer { self.heldByteCount = 0 }
        _ = self.window.add(byteCount: self.heldByteCount)
        return self.heldByteCount
    }
}
