// Frames of the client about the connection as a whole, and how it goes away.

internal import NIOCore
internal import RPC

extension ServerHandler {
    func settingsReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        try self.countFrame(weight: Self.settingsWeight)
        guard !header.flags.contains(.ack) else {
            return try Self.check(payload, is: 0)
        }
        guard payload.count.isMultiple(of: 6), header.streamID == .connection else {
            throw HTTP2ConnectionError(.frameSizeError, "A SETTINGS frame is not one.")
        }
        var windowByteCount = self.streamWindowByteCount
        for index in stride(from: 0, to: payload.count, by: 6) {
            try self.settingReceived(
                HTTP2Setting(rawValue: payload.bigEndian(at: index)), payload.bigEndian(at: index + 2),
                &windowByteCount)
        }
        try self.setStreamWindows(windowByteCount)
        self.hasSettings = true
        self.output.writeSettingsAck()
        self.closeIfOutputIsUnread()
    }

    /// SETTINGS may change every stream's window, and clients send them once or twice.
    private static let settingsWeight = 64

    private func settingReceived(
        _ setting: HTTP2Setting, _ value: UInt32, _ windowByteCount: inout Int
    ) throws(HTTP2ConnectionError) {
        switch setting {
        case .headerTableSize:
            self.isTableSizeToBeTold = true
        case .enablePush:
            guard value <= 1 else {
                throw HTTP2ConnectionError(.protocolError, "ENABLE_PUSH is 0 or 1.")
            }
        case .maxFrameSize:
            // Longer frames than every client takes are not worth it.
            guard (16_384...16_777_215).contains(value) else {
                throw HTTP2ConnectionError(.protocolError, "MAX_FRAME_SIZE is out of its range.")
            }
        case .initialWindowSize:
            guard value <= UInt32(Int32.max) else {
                throw HTTP2ConnectionError(.flowControlError, "INITIAL_WINDOW_SIZE is out of its range.")
            }
            windowByteCount = Int(value)
        default:
            break
        }
    }

    /// Changes the window of every stream, and of those to come.
    private func setStreamWindows(_ byteCount: Int) throws(HTTP2ConnectionError) {
        let change = byteCount - self.streamWindowByteCount
        guard change != 0 else {
            return
        }
        self.streamWindowByteCount = byteCount
        for stream in Array(self.streams.values) {
            guard stream.sendWindow.add(byteCount: change) else {
                throw HTTP2ConnectionError(.flowControlError, "INITIAL_WINDOW_SIZE opens a window too far.")
            }
            self.send(stream)
        }
    }

    func pingReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        try self.countFrame()
        try Self.check(payload, is: 8)
        let data = UInt64(bigEndian: payload.loadUnaligned(as: UInt64.self))
        guard header.flags.contains(.ack) else {
            self.output.writePing(data, isAck: true)
            return self.closeIfOutputIsUnread()
        }
        if data == Self.drainPing, case .announced = self.drain {
            self.drain = .known
            self.output.writeGoAway(lastStreamID: self.lastStreamID, .noError)
            self.closeIfDrained()
        }
    }

    /// What the PING of a drain carries.
    private static let drainPing: UInt64 = 0x726f_6c6c_6361_6c6c

    /// Tells the client that no new call is taken; those that it opens before it knows are refused.
    func drainStarted() {
        guard case .none = self.drain else {
            return
        }
        self.drain = .announced
        self.output.writeGoAway(lastStreamID: StreamID(UInt32(Int32.max)), .noError)
        self.output.writePing(Self.drainPing, isAck: false)
    }

    func closeIfDrained() {
        if case .known = self.drain, self.streams.isEmpty {
            self.pass.closeAtEnd()
        }
    }

    func windowUpdateReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        try Self.check(payload, is: 4)
        let byteCount = Int(payload.bigEndian(at: 0) & 0x7fff_ffff as UInt32)
        guard header.streamID != .connection else {
            guard byteCount > 0, self.sendWindow.add(byteCount: byteCount) else {
                throw HTTP2ConnectionError(.flowControlError, "The connection's window is opened by 0 or too far.")
            }
            self.sendBlocked()
            return self.closeIfOutputIsUnread()
        }
        guard let stream = try self.stream(header) else {
            return
        }
        guard byteCount > 0, stream.sendWindow.add(byteCount: byteCount) else {
            return self.reset(stream, byteCount > 0 ? .flowControlError : .protocolError)
        }
        self.send(stream)
        self.closeIfOutputIsUnread()
    }
}
