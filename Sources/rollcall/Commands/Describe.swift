internal import ArgumentParser
internal import Descriptors
internal import DynamicMessage
internal import JSONText

/// `rollcall describe`
struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the methods that can be called, and what their messages look like.",
        discussion: """
            Without a symbol, lists every service and its methods; with one, shows its definition as a proto file has \
            it. A symbol is a service, method, message, field or enum by its full name, or the end of it where that is \
            clear. It needs no server: this program knows the files that it was built with.

              rollcall describe
              rollcall describe Devices/GetDevice
              rollcall describe rollcall.v1.Device
            """
    )

    @Argument(help: ArgumentHelp("What to show. Default: all services.", valueName: "symbol"))
    var symbol: String?

    func validate() throws {
        if let symbol = self.symbol {
            _ = try DescriptorPool.embedded.fullName(argument: symbol)
        }
    }

    func run() throws {
        let text = try self.text
        do throws(OutputError) {
            try Output.standardOutput(environment: [:]).write(text)
        } catch {
            // A reader who has seen enough is no error.
            guard error == .closed else { throw ExitCode(ExitStatus.refused.rawValue) }
        }
    }

    /// What is printed.
    var text: String {
        get throws {
            let pool = DescriptorPool.embedded
            guard let argument = self.symbol else { return pool.overview }
            let name = try pool.fullName(argument: argument)
            guard let symbol = pool.symbol(named: name), let file = pool.file(containing: name) else { return "" }
            let head = "// \(file.name)\n"
            guard case .method(let method) = symbol else { return head + pool.definition(of: symbol) }
            let (input, output) = pool.messages(of: method)
            var parts = [head + pool.definition(of: symbol), pool.definition(of: .message(input))]
            if output.fullName != input.fullName {
                parts.append(pool.definition(of: .message(output)))
            }
            let example = MessageCodec().example(of: input).text(.line)
            parts.append("// rollcall call \(pool.shortPath(of: method)) '\(example)'\n")
            return parts.joined(separator: "\n")
        }
    }
}

extension DescriptorPool {
    /// Every service with its methods.
    fileprivate var overview: String {
        self.services.map { service in
            let methods = service.methods.map { method in
                let input = (method.isClientStreaming ? "stream " : "") + method.inputType
                let output = (method.isServerStreaming ? "stream " : "") + method.outputType
                return "  \(method.name)(\(input)) returns (\(output))\n"
            }
            return "\(service.fullName)\n\(methods.joined())"
        }.joined(separator: "\n")
    }
}
