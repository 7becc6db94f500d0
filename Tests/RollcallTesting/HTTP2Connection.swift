// A bare connection that speaks HTTP/2 by hand, for frames that no client would send.

package import RPC

/// A frame of HTTP/2.
package struct HTTP2TestFrame: Sendable {
    /// 0 DATA, 1 HEADERS, 3 RST_STREAM, 4 SETTINGS, 6 PING, 7 GOAWAY, 8 WINDOW_UPDATE, 9 CONTINUATION.
    package var type: UInt8
    package var flags: UInt8
    package var stream: UInt32
    package var payload: [UInt8]
}

/// Writes frames and reads them, and knows nothing of what they mean.
package actor HTTP2Connection {
    private let connection: RawConnection
    private var received: [UInt8] = []

    package static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    package static let endStream: UInt8 = 1
    package static let endHeaders: UInt8 = 4

    /// Nil where nobody listens at `path`.
    package init?(_ path: String) {
        guard let connection = RawConnection(path) else { return nil }
        self.connection = connection
    }

    deinit {
        self.connection.close()
    }

    package static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = UInt32(payload.count)
        return [
            UInt8(length >> 16), UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length), type, flags,
        ]
            + Self.bigEndian(stream) + payload
    }

    package static func bigEndian(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// A header field as HPACK has it, literally and not to be remembered; at most 126 bytes each.
    package static func field(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    /// The headers that open a call.
    package static func headers(_ name: MethodName) -> [UInt8] {
        let fields = [
            (":method", "POST"), (":scheme", "http"), (":path", "/\(name)"), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        return fields.flatMap { Self.field($0.0, $0.1) }
    }

    /// A message with its prefix.
    package static func message(_ bytes: [UInt8]) -> [UInt8] {
        [0] + Self.bigEndian(UInt32(bytes.count)) + bytes
    }

    /// Sends the preface, SETTINGS, and the acknowledgement of the server's, before which it takes no more than 100 calls.
    package func begin(initialWindow: UInt32 = 65_535) async {
        await self.send(
            Self.preface + Self.frame(4, [0, 4] + Self.bigEndian(initialWindow)) + Self.frame(4, flags: 1))
    }

    /// Opens a call whose messages follow.
    package func open(_ stream: UInt32, _ name: MethodName) async {
        await self.send(Self.frame(1, flags: Self.endHeaders, stream: stream, Self.headers(name)))
    }

    /// Makes a unary call.
    package func call(_ stream: UInt32, _ name: MethodName, _ text: String = "") async {
        await self.open(stream, name)
        await self.send(Self.frame(0, flags: Self.endStream, stream: stream, Self.message(Array(text.utf8))))
    }

    @discardableResult
    package func send(_ bytes: [UInt8]) async -> Bool {
        await self.connection.send(bytes)
    }

    package func finishSending() {
        self.connection.finishSending()
    }

    /// The next frame; nil once the server has closed the connection, or after ten seconds of nothing.
    package func receive() async -> HTTP2TestFrame? {
        while true {
            if let frame = self.takeFrame() { return frame }
            guard let more = await self.connection.receive(byteCountMax: 1 << 20), !more.isEmpty else { return nil }
            self.received += more
        }
    }

    /// Reads until the server closes the connection; false where it does not within ten seconds.
    package func isClosedByServer() async -> Bool {
        while let more = await self.connection.receive(byteCountMax: 1 << 20) {
            if more.isEmpty { return true }
        }
        // A reset is an end as well: the server closes without reading what is left.
        return await !self.connection.send([0])
    }

    private func takeFrame() -> HTTP2TestFrame? {
        guard self.received.count >= 9 else { return nil }
        let length = self.received[..<3].reduce(0) { $0 << 8 | Int($1) }
        guard self.received.count >= 9 + length else { return nil }
        defer { self.received.removeFirst(9 + length) }
        return HTTP2TestFrame(
            type: self.received[3], flags: self.received[4],
            stream: self.received[5..<9].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff,
            payload: Array(self.received[9..<9 + length])
        )
    }
}
