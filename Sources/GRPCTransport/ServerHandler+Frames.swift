// Frames of the client, and what they mean for its calls.

internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import RPC

// MARK: - Frames

extension ServerHandler {
    /// Acts on one frame of the client.
    ///
    /// - Throws: a fault that ends the connection (RFC 9113, section 5.4.1).
    func frameReceived(_ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer) throws(HTTP2ConnectionError) {
        guard self.pass.isServing else {
            return
        }
        guard self.hasSettings || header.kind == .settings else {
            throw HTTP2ConnectionError(.protocolError, "The first frame is not SETTINGS.")
        }
        guard (self.headerBlock == nil) == (header.kind != .continuation) else {
            throw HTTP2ConnectionError(.protocolError, "A CONTINUATION frame is missing or out of place.")
        }
        switch header.kind {
        case .data: try self.dataReceived(header, payload)
        case .headers: try self.headersReceived(header, payload)
        case .continuation: try self.continuationReceived(header, payload)
        case .rstStream: try self.resetReceived(header, payload)
        case .settings: try self.settingsReceived(header, payload)
        case .ping: try self.pingReceived(header, payload)
        case .windowUpdate: try self.windowUpdateReceived(header, payload)
        case .pushPromise: throw HTTP2ConnectionError(.protocolError, "A client pushes nothing.")
        default:
            // PRIORITY and GOAWAY ask nothing of a server; a newer client may know further kinds.
            try self.countFrame()
        }
    }

    /// Bounds frames that carry no call.
    func countFrame(weight: Int = 1) throws(HTTP2ConnectionError) {
        guard self.frameRate.mayTake(weight: weight, now: { self.now.uptimeNanoseconds }) else {
            throw HTTP2ConnectionError(.enhanceYourCalm, "Frames without calls come too fast.")
        }
    }

    /// A stream that the client may still speak of. Frames for one that is over are dropped, as some may be under way.
    func stream(_ header: HTTP2FrameHeader) throws(HTTP2ConnectionError) -> CallStream? {
        if let stream = self.streams[header.streamID] {
            return stream
        }
        guard header.streamID.isClientInitiated, header.streamID.rawValue <= self.lastStreamID.rawValue else {
            throw HTTP2ConnectionError(
                .protocolError, "A frame is for stream \(header.streamID), which was not opened.")
        }
        // Messages under way are bounded by the connection's window.
        if header.kind != .data {
            try self.countFrame()
        }
        return nil
    }

    static func check(_ payload: UnsafeRawBufferPointer, is byteCount: Int) throws(HTTP2ConnectionError) {
        guard payload.count == byteCount else {
            throw HTTP2ConnectionError(.frameSizeError, "A frame's payload is not of the length that its kind has.")
        }
    }
}

// MARK: - Streams

extension ServerHandler {
    private func headersReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        let block = try HTTP2HeaderBlock(header, payload)
        try self.take(block, isWhole: header.flags.contains(.endHeaders))
    }

    private func continuationReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        guard var block = self.headerBlock, block.streamID == header.streamID else {
            throw HTTP2ConnectionError(.protocolError, "A CONTINUATION frame is for another stream.")
        }
        self.headerBlock = nil
        try block.append(payload)
        try self.take(block, isWhole: header.flags.contains(.endHeaders))
    }

    private func take(_ block: HTTP2HeaderBlock, isWhole: Bool) throws(HTTP2ConnectionError) {
        guard isWhole else {
            self.headerBlock = block
            return
        }
        let headers: HPACKHeaders
        do {
            var bytes = block.bytes
            headers = try self.hpack.decodeHeaders(from: &bytes)
        } catch is NIOHPACKErrors.MaxHeaderListSizeViolation {
            throw HTTP2ConnectionError(.enhanceYourCalm, "The headers of a call are longer than this server takes.")
        } catch {
            throw HTTP2ConnectionError(.compressionError, "The headers of a call cannot be unpacked.")
        }
        if let stream = self.streams[block.streamID] {
            guard block.endsStream else {
                throw HTTP2ConnectionError(.protocolError, "Headers come twice on stream \(block.streamID).")
            }
            guard !stream.isInputOver else {
                return self.reset(stream, .streamClosed)
            }
            stream.isInputOver = true
            return self.inputEnded(stream)
        }
        guard block.streamID.isClientInitiated else {
            throw HTTP2ConnectionError(.protocolError, "A stream that a client opens has an odd number.")
        }
        guard block.streamID.rawValue > self.lastStreamID.rawValue else {
            // Of a call that is over on this side.
            return try self.countFrame()
        }
        self.lastStreamID = block.streamID
        try self.openStream(block, headers)
    }

    private func openStream(_ block: HTTP2HeaderBlock, _ headers: HPACKHeaders) throws(HTTP2ConnectionError) {
        guard self.streams.count < self.limits.callCountMax else {
            try self.countFrame()
            self.output.writeReset(block.streamID, .refusedStream)
            return self.closeIfOutputIsUnread()
        }
        let stream = CallStream(
            key: CallKey(streamID: block.streamID, sequence: 0),
            sendWindow: FlowWindow(byteCount: self.streamWindowByteCount),
            messageByteCountMax: self.limits.messageByteCountMax
        )
        self.streams[block.streamID] = stream
        stream.isInputOver = block.endsStream
        self.callReceived(stream, headers)
        if block.endsStream {
            self.inputEnded(stream)
        }
    }

    private func dataReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        let bytes = try payload.withoutPadding(header.flags)
        guard self.receiveWindow.receive(byteCount: payload.count) else {
            throw HTTP2ConnectionError(.flowControlError, "More came than the connection's window allows.")
        }
        self.openConnectionWindow()
        let endsStream = header.flags.contains(.endStream)
        if payload.isEmpty, !endsStream {
            try self.countFrame()
        }
        guard let stream = try self.stream(header) else {
            return
        }
        guard stream.receiveWindow.receive(byteCount: payload.count) else {
            return self.reset(stream, .flowControlError)
        }
        guard !stream.isInputOver else {
            return self.reset(stream, .streamClosed)
        }
        stream.isInputOver = endsStream
        self.bytesReceived(stream, bytes, endsStream: endsStream)
    }

    private func resetReceived(
        _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer
    ) throws(HTTP2ConnectionError) {
        try self.countFrame()
        try Self.check(payload, is: 4)
        if let stream = try self.stream(header) {
            self.lose(stream, .cancelled("The caller cancelled the call."))
            self.closeIfDrained()
        }
    }

    /// Ends a stream whose client broke the rules on it.
    func reset(_ stream: CallStream, _ code: HTTP2ErrorCode) {
        self.lose(stream, .cancelled("The call's stream broke the rules of HTTP/2."))
        self.output.writeReset(stream.id, code)
        self.closeIfOutputIsUnread()
        self.closeIfDrained()
    }

    /// Lets the client send more on any stream, unless streams have more than they take.
    ///
    /// Frames that carry no message are read all the same: a method may wait for one of them.
    func openConnectionWindow() {
        if !self.budget.isExceeded, let byteCount = self.receiveWindow.release() {
            self.output.writeWindowUpdate(.connection, byteCount: byteCount)
        }
    }

    /// Tells a client that its messages have been taken.
    func openWindow(of stream: CallStream) {
        // Of a call that is over nothing is wanted any more.
        guard stream.trailers == nil, stream.streaming?.budget.isExceeded != true,
            let byteCount = stream.receiveWindow.release()
        else {
            return
        }
        self.output.writeWindowUpdate(stream.id, byteCount: byteCount)
    }
}
