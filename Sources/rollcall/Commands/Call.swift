internal import ArgumentParser
internal import Descriptors
internal import DynamicMessage
internal import NIOCore
internal import RPC
internal import RollcallClient

/// `rollcall call`
struct Call: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Call any method by its name, with messages in JSON.",
        discussion: """
            Messages are JSON as proto3 has it, sent and shown as they are: no envelope, and the project is a field like \
            any other, whatever --project says. Fields go by their names in the proto files or in camelCase; null is a \
            field that is not set. What is at its default is not shown. 'rollcall describe' tells the methods and their \
            fields.

            '-' reads the JSON from standard input. A method that takes a stream is sent each JSON value as soon as it \
            is whole; one that answers with a stream prints each message as it comes, as JSON on a line, for as long as \
            it takes unless --timeout is given.

              rollcall call Server/GetServerInfo
              rollcall call Devices/GetDevice '{"device_serial": "ABCD1234"}'
              rollcall call grpc.health.v1.Health/Watch
            """
    )

    @Argument(
        help: ArgumentHelp(
            "SERVICE/METHOD; the service without its package where that is clear.", valueName: "method"))
    var method: String

    @Argument(help: ArgumentHelp("The message, or - for standard input. Default: {}.", valueName: "json"))
    var json: String?

    @OptionGroup var global: GlobalOptions

    /// Everything that can be known without a server.
    func validate() throws {
        let method = try DescriptorPool.embedded.method(argument: self.method)
        if self.global.output == .csv {
            throw ValidationError("--output csv does not go with messages, which are JSON.")
        }
        guard !method.isClientStreaming || self.json != nil else {
            throw ValidationError("\(method.path) takes a stream of messages: give them, or - for standard input.")
        }
        let input = self.input(of: method)
        do throws(InputError) {
            let messages = try input.given()
            if !method.isClientStreaming, input.text != "-" {
                try CallInput.checkCount(messages.count)
            }
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let method = try DescriptorPool.embedded.method(argument: self.method)
        let input = self.input(of: method)
        let reply = ReplyPrinter(method: method, printer: printer)
        let name = MethodName(service: method.service, method: method.name)
        // How long a stream goes on is for its caller to say.
        let patient = client.with(timeout: self.global.timeout?.duration)
        switch (method.isClientStreaming, method.isServerStreaming) {
        case (false, false):
            try reply.print(try await client.unary(name, try await input.single()))
        case (false, true):
            try await patient.serverStream(name, try await input.single()) { try reply.print($0) }
        case (true, let isServerStreaming):
            try await patient.stream(
                name, isServerStreaming ? .bidirectional : .client,
                send: { send in try await input.forEach(send) },
                receive: { try reply.print($0) }
            )
        }
    }

    private func input(of method: MethodDescriptor) -> CallInput {
        CallInput(type: DescriptorPool.embedded.messages(of: method).input, text: self.json ?? "{}")
    }
}

/// Shows what a method answers.
private struct ReplyPrinter: Sendable {
    let method: MethodDescriptor
    let printer: Printer

    /// - Throws: ``RollcallError`` INTERNAL where the bytes are no reply, or ``OutputError``.
    func print(_ reply: ByteBuffer) throws {
        let type = DescriptorPool.embedded.messages(of: self.method).output
        do {
            let json = try MessageCodec().json(of: Array(reply.readableBytesView)[...], as: type)
            try self.printer.message(json, isOfStream: self.method.isServerStreaming)
        } catch let error as MessageError {
            throw RollcallError(.internal, "The server's reply cannot be read: \(error)")
        }
    }
}
