// Frames and messages by hand, so that the tests do not lean on the code that they check.

import RollcallTesting
import Testing

/// One ttrpc frame.
struct WireFrame: Equatable, Sendable, CustomTestStringConvertible {
    var id: UInt32
    /// 1 Request, 2 Response, 3 Data.
    var type: UInt8
    var flags: UInt8 = 0
    var data: [UInt8]

    static let headerByteCount = 10

    var bytes: [UInt8] {
        Self.bigEndian(UInt32(self.data.count)) + Self.bigEndian(self.id) + [self.type, self.flags] + self.data
    }

    static func bigEndian(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// A Request for `Service/Method` of package `rollcall.v1`.
    static func request(
        _ id: UInt32, _ method: String, _ payload: [UInt8] = [], flags: UInt8 = 0, timeoutNanoseconds: Int64 = 0,
        metadata: [(String, String)] = []
    ) -> WireFrame {
        let names = method.split(separator: "/").map(String.init)
        var data = Wire.text(1, "rollcall.v1.\(names[0])") + Wire.text(2, names[1])
        if !payload.isEmpty {
            data += Wire.field(3, payload)
        }
        if timeoutNanoseconds != 0 {
            data += Wire.number(4, UInt64(bitPattern: timeoutNanoseconds))
        }
        for (key, value) in metadata {
            data += Wire.field(5, Wire.text(1, key) + Wire.text(2, value))
        }
        return WireFrame(id: id, type: 1, flags: flags, data: data)
    }

    static func data(_ id: UInt32, _ text: String = "", flags: UInt8 = 0) -> WireFrame {
        WireFrame(id: id, type: 3, flags: flags, data: Array(text.utf8))
    }

    var testDescription: String {
        "stream \(self.id) type \(self.type) flags \(self.flags), \(self.data.count) bytes \(self.data.prefix(96))"
    }
}

/// Encodes protobuf's fields, and takes them apart.
enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + self.varint(value >> 7)
    }

    static func number(_ number: UInt8, _ value: UInt64) -> [UInt8] {
        [number << 3] + self.varint(value)
    }

    static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + self.varint(UInt64(bytes.count)) + bytes
    }

    static func text(_ number: UInt8, _ text: String) -> [UInt8] {
        self.field(number, Array(text.utf8))
    }

    /// A CreateDevice request for project `default`.
    static func device(_ serial: String) -> [UInt8] {
        self.field(2, self.text(4, serial) + self.text(5, "ada") + self.text(6, "h1"))
    }

    /// The values of field `number`: bytes as they are, numbers as the bytes of their varint.
    static func values(of number: UInt8, in message: [UInt8]) -> [[UInt8]] {
        var rest = message[...]
        func varint() -> [UInt8] {
            let end = rest.firstIndex { $0 < 0x80 } ?? rest.endIndex - 1
            defer { rest = rest[(end + 1)...] }
            return Array(rest[...end])
        }
        var values: [[UInt8]] = []
        while let tag = rest.popFirst() {
            var value = varint()
            if tag & 7 == 2 {
                let count = value.reversed().reduce(0) { $0 << 7 | Int($1 & 0x7F) }
                value = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            if tag >> 3 == number {
                values.append(value)
            }
        }
        return values
    }

    static func texts(of number: UInt8, in message: [UInt8]) -> [String] {
        self.values(of: number, in: message).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A google.rpc.Status, with the one ErrorInfo that belongs to it.
struct WireStatus: Equatable, Sendable {
    var code: UInt8
    var message: String
    var reason: String

    /// The status of a Response that refuses its call.
    init(_ frame: WireFrame, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let status = try #require(Wire.values(of: 1, in: frame.data).first, "\(frame)", sourceLocation: sourceLocation)
        let details = Wire.values(of: 3, in: status)
        let infos = details.filter { Wire.texts(of: 1, in: $0) == ["type.googleapis.com/google.rpc.ErrorInfo"] }
        let info = Wire.values(of: 2, in: infos.first ?? []).first ?? []
        #expect(infos.count == 1, sourceLocation: sourceLocation)
        #expect(Wire.texts(of: 2, in: info) == ["rollcall"], sourceLocation: sourceLocation)
        #expect(frame.type == 2 && frame.flags == 0, "\(frame)", sourceLocation: sourceLocation)
        #expect(
            Wire.values(of: 2, in: frame.data) == [], "An error carries no payload.", sourceLocation: sourceLocation)
        self.code = Wire.values(of: 1, in: status).first?.first ?? 0
        self.message = Wire.texts(of: 2, in: status).first ?? ""
        self.reason = Wire.texts(of: 1, in: info).first ?? ""
    }
}

/// A bare connection to a daemon that reads whole frames.
actor WireConnection {
    private let connection: RawConnection
    private var received: [UInt8] = []

    init(_ daemon: DaemonProcess) throws {
        try self.init(path: daemon.socketPath)
    }

    init(path: String) throws {
        self.connection = try #require(RawConnection(path))
    }

    deinit {
        self.connection.close()
    }

    /// Sends all of it at once.
    func send(_ frames: WireFrame...) async {
        await self.connection.send(frames.flatMap(\.bytes))
    }

    func send(bytes: [UInt8]) async {
        await self.connection.send(bytes)
    }

    func finishSending() {
        self.connection.finishSending()
    }

    /// The next frame; nil once the server has closed the connection.
    func receive(sourceLocation: SourceLocation = #_sourceLocation) async throws -> WireFrame? {
        while true {
            if let frame = self.takeFrame() {
                return frame
            }
            let bytes = await self.connection.receive(byteCountMax: 1 << 20)
            let more = try #require(bytes, "Nothing came within ten seconds.", sourceLocation: sourceLocation)
            guard !more.isEmpty else {
                #expect(self.received == [], "The end came inside a frame.", sourceLocation: sourceLocation)
                return nil
            }
            self.received += more
        }
    }

    /// The next frame, which refuses the call of stream `id`.
    @discardableResult
    func expectRefusal(
        _ id: UInt32, _ code: UInt8, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> WireStatus {
        let frame = try #require(await self.receive(), sourceLocation: sourceLocation)
        let status = try WireStatus(frame, sourceLocation: sourceLocation)
        #expect(frame.id == id, sourceLocation: sourceLocation)
        #expect(status.code == code && status.reason == reason, "\(status)", sourceLocation: sourceLocation)
        #expect(status.message.hasSuffix("."), "\(status)", sourceLocation: sourceLocation)
        return status
    }

    /// The next frame, which answers the call of stream `id`: its payload.
    @discardableResult
    func expectReply(_ id: UInt32, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [UInt8] {
        let frame = try #require(await self.receive(), sourceLocation: sourceLocation)
        #expect(frame.id == id && frame.type == 2 && frame.flags == 0, "\(frame)", sourceLocation: sourceLocation)
        #expect(frame.data.starts(with: [0x0A, 0x00]), "\(frame)", sourceLocation: sourceLocation)
        return Wire.values(of: 2, in: frame.data).first ?? []
    }

    /// Shows that the connection lives: a call is answered, and nothing comes before its reply.
    func expectAlive(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        await self.send(.request(99_999, "Server/GetServerInfo"))
        try await self.expectReply(99_999, sourceLocation: sourceLocation)
    }

    private func takeFrame() -> WireFrame? {
        let header = self.received.prefix(WireFrame.headerByteCount)
        guard header.count == WireFrame.headerByteCount else {
            return nil
        }
        func number(_ range: Range<Int>) -> UInt32 { header[range].reduce(0) { $0 << 8 | UInt32($1) } }
        let end = WireFrame.headerByteCount + Int(number(0..<4))
        guard self.received.count >= end else {
            return nil
        }
        defer { self.received.removeFirst(end) }
        return WireFrame(
            id: number(4..<8), type: header[8], flags: header[9],
            data: Array(self.received[WireFrame.headerByteCount..<end])
        )
    }
}
