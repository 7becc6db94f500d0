// Declarations as a proto file has them, without its comments.

extension DescriptorPool {
    /// The definition of a symbol. A part is shown with what it belongs to; types have their full names.
    package func definition(of symbol: Symbol) -> String {
        switch symbol {
        case .message(let message), .oneof(_, let message): Definition(self).text(message)
        case .field(let field): Definition(self).text(field)
        case .enumeration(let enumeration), .enumValue(_, let enumeration): Definition(self).text(enumeration)
        case .service(let service): Definition(self).text(service)
        case .method(let method): Definition(self).text(method)
        }
    }
}

private struct Definition {
    private let pool: DescriptorPool
    private var lines: [String] = []
    private var depth = 0

    init(_ pool: DescriptorPool) {
        self.pool = pool
    }

    private static func lastName(_ fullName: String) -> String {
        fullName.split(separator: ".").last.map(String.init) ?? fullName
    }

    // MARK: Whole texts

    func text(_ message: MessageDescriptor) -> String {
        self.text { $0.append(message, name: message.fullName) }
    }

    func text(_ enumeration: EnumDescriptor) -> String {
        self.text { $0.append(enumeration, name: enumeration.fullName) }
    }

    func text(_ field: FieldDescriptor) -> String {
        "\(self.line(field))\n"
    }

    func text(_ service: ServiceDescriptor) -> String {
        self.text { definition in
            definition.append(block: "service \(service.fullName)") { definition in
                for method in service.methods {
                    definition.append("rpc \(method.name)\(Self.signature(method));")
                }
            }
        }
    }

    func text(_ method: MethodDescriptor) -> String {
        "rpc \(method.path)\(Self.signature(method));\n"
    }

    private func text(_ build: (inout Definition) -> Void) -> String {
        var definition = self
        build(&definition)
        return definition.lines.joined(separator: "\n") + "\n"
    }

    // MARK: Parts

    private mutating func append(_ line: String) {
        self.lines.append(String(repeating: "  ", count: self.depth) + line)
    }

    private mutating func append(block head: String, _ body: (inout Definition) -> Void) {
        let start = self.lines.count
        self.append("\(head) {")
        self.depth += 1
        body(&self)
        self.depth -= 1
        if self.lines.count == start + 1 {
            self.lines[start] += "}"
        } else {
            self.append("}")
        }
    }

    private mutating func append(_ message: MessageDescriptor, name: String) {
        self.append(block: "message \(name)") { definition in
            for enumeration in message.enums {
                definition.append(enumeration, name: Self.lastName(enumeration.fullName))
            }
            for nested in message.messages where !nested.isMapEntry {
                definition.append(nested, name: Self.lastName(nested.fullName))
            }
            var oneofsShown: Set<Int> = []
            for field in message.fields {
                guard let oneof = field.oneofIndex else {
                    definition.append(definition.line(field))
                    continue
                }
                guard oneofsShown.insert(oneof).inserted else { continue }
                definition.append(block: "oneof \(message.oneofs[oneof])") { definition in
                    for field in message.fields where field.oneofIndex == oneof {
                        definition.append(definition.line(field))
                    }
                }
            }
        }
    }

    private mutating func append(_ enumeration: EnumDescriptor, name: String) {
        self.append(block: "enum \(name)") { definition in
            for value in enumeration.values {
                definition.append("\(value.name) = \(value.number);")
            }
        }
    }

    private func line(_ field: FieldDescriptor) -> String {
        if field.kind == .message, case let entry = self.pool.message(of: field), entry.isMapEntry,
            let key = entry.field(named: "key"), let value = entry.field(named: "value")
        {
            return "map<\(Self.type(key)), \(Self.type(value))> \(field.name) = \(field.number);"
        }
        return "\(field.isRepeated ? "repeated " : "")\(Self.type(field)) \(field.name) = \(field.number);"
    }

    private static func type(_ field: FieldDescriptor) -> String {
        field.typeName.isEmpty ? "\(field.kind)" : field.typeName
    }

    private static func signature(_ method: MethodDescriptor) -> String {
        let input = (method.isClientStreaming ? "stream " : "") + method.inputType
        let output = (method.isServerStreaming ? "stream " : "") + method.outputType
        return "(\(input)) returns (\(output))"
    }
}
