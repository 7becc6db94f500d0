// The messages that a call sends, out of JSON.

internal import Descriptors
internal import DynamicMessage
internal import JSONText
internal import NIOCore

/// What is wrong with what was given to a command, found while it runs.
struct InputError: Error, CustomStringConvertible {
    /// A sentence.
    let description: String

    init(_ description: String) {
        self.description = description
    }

    fileprivate init(_ error: JSONError) {
        self.init("JSON \(error)")
    }
}

/// Where a call's messages come from: a text of JSON values, or standard input as they are typed.
struct CallInput: Sendable {
    let type: MessageDescriptor
    /// The values; `-` stands for standard input.
    let text: String
    let codec = MessageCodec()
    /// The next piece of standard input; nil at its end.
    var readMore: @Sendable () async throws -> [UInt8]? = { try await StandardInput.read() }

    /// Encodes every message that stands in the text; none where that is on standard input.
    ///
    /// - Throws: ``InputError`` with line and column.
    func given() throws(InputError) -> [ByteBuffer] {
        guard self.text != "-" else { return [] }
        var splitter = JSONSplitter()
        do throws(JSONError) {
            let pieces = try splitter.append(self.text.utf8) + (splitter.finish().map { [$0] } ?? [])
            var messages: [ByteBuffer] = []
            for piece in pieces {
                messages.append(try self.message(piece))
            }
            return messages
        } catch {
            throw InputError(error)
        }
    }

    /// Hands each message to `send`, as soon as its text is whole.
    ///
    /// - Throws: ``InputError``, or what `send` throws.
    func forEach(_ send: (ByteBuffer) async throws -> Void) async throws {
        for message in try self.given() {
            try await send(message)
        }
        guard self.text == "-" else { return }
        var splitter = JSONSplitter()
        do {
            while let bytes = try await self.readMore() {
                for piece in try splitter.append(bytes) {
                    try await send(try self.message(piece))
                }
            }
            if let piece = splitter.finish() {
                try await send(try self.message(piece))
            }
        } catch let error as JSONError {
            throw InputError(error)
        }
    }

    /// The one message of a call that takes one.
    ///
    /// - Throws: ``InputError``, also where there is none or more than one.
    func single() async throws -> ByteBuffer {
        var messages: [ByteBuffer] = []
        try await self.forEach { message in
            messages.append(message)
            try Self.checkCount(messages.count)
        }
        try Self.checkCount(messages.count)
        return messages[0]
    }

    /// Refuses any count but one.
    static func checkCount(_ count: Int) throws(InputError) {
        guard count == 1 else {
            throw InputError(
                count == 0
                    ? "There is no JSON; the method takes one message, such as {}."
                    : "There is more than one JSON value; the method takes one message.")
        }
    }

    private func message(_ piece: JSONSplitter.Piece) throws(JSONError) -> ByteBuffer {
        let node = try JSONReader.read(piece.bytes, from: piece.position)
        return ByteBuffer(bytes: try self.codec.encode(node, as: self.type))
    }
}
