// Proto files and what they declare, by name.

internal import CRollcallProto

/// Something that a proto file declares under a full name.
package enum Symbol: Sendable {
    case message(MessageDescriptor)
    case field(FieldDescriptor)
    /// A oneof of the message.
    case oneof(String, of: MessageDescriptor)
    case enumeration(EnumDescriptor)
    /// A value of the enumeration; its full name lies beside the enumeration's, not below it.
    case enumValue(String, of: EnumDescriptor)
    case service(ServiceDescriptor)
    case method(MethodDescriptor)
}

/// A set of proto files that is complete: whatever they name is in it.
package struct DescriptorPool: Sendable {
    /// Every file, each after those that it imports.
    package let files: [ProtoFile]
    /// Every service, by name.
    package let services: [ServiceDescriptor]
    private let fileIndices: [String: Int]
    private let symbols: [String: (symbol: Symbol, fileIndex: Int)]

    /// The published proto files, which are part of the program.
    package static let embedded: DescriptorPool = {
        let bytes = UnsafeBufferPointer(start: rollcall_descriptor_set(), count: rollcall_descriptor_set_byte_count)
        do throws(DescriptorError) {
            return try DescriptorPool(encoded: Array(bytes)[...])
        } catch {
            preconditionFailure("The descriptor set that tools/generate embedded is whole: \(error)")
        }
    }()

    /// Reads an encoded google.protobuf.FileDescriptorSet.
    ///
    /// - Throws: ``DescriptorError`` where it is none, holds a group, or names a file or type that it does not hold.
    package init(encoded bytes: ArraySlice<UInt8>) throws(DescriptorError) {
        var files: [ProtoFile] = []
        var index = SymbolIndex()
        for bytes in try DescriptorFields(bytes).bytes(1) {
            let file = try ProtoFile(encoded: bytes)
            index.add(file, at: files.count)
            files.append(file)
        }
        self.files = files
        self.fileIndices = Dictionary(files.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.symbols = index.symbols
        self.services = files.flatMap(\.services).sorted { $0.fullName < $1.fullName }
        try self.checkNames()
    }

    /// The file of a name, such as `rollcall/v1/devices.proto`.
    package func file(named name: String) -> ProtoFile? {
        self.fileIndices[name].map { self.files[$0] }
    }

    /// What is declared under a full name, such as `rollcall.v1.Devices.GetDevice`.
    package func symbol(named name: String) -> Symbol? {
        self.symbols[name]?.symbol
    }

    /// The file that declares a full name.
    package func file(containing symbol: String) -> ProtoFile? {
        self.symbols[symbol].map { self.files[$0.fileIndex] }
    }

    /// Every full name, in no particular order.
    package var symbolNames: some Collection<String> {
        self.symbols.keys
    }

    package func message(named name: String) -> MessageDescriptor? {
        if case .message(let message) = self.symbol(named: name) { message } else { nil }
    }

    package func service(named name: String) -> ServiceDescriptor? {
        if case .service(let service) = self.symbol(named: name) { service } else { nil }
    }

    /// The type of a field that holds messages.
    package func message(of field: FieldDescriptor) -> MessageDescriptor {
        guard let message = self.message(named: field.typeName) else {
            preconditionFailure("\(field.fullName) holds messages, and a pool holds the types of its fields.")
        }
        return message
    }

    /// The enumeration of a field that holds one.
    package func enumeration(of field: FieldDescriptor) -> EnumDescriptor {
        guard case .enumeration(let enumeration) = self.symbol(named: field.typeName) else {
            preconditionFailure("\(field.fullName) holds an enumeration, and a pool holds the types of its fields.")
        }
        return enumeration
    }

    /// What the methods of a call send: the types of input and output.
    package func messages(of method: MethodDescriptor) -> (input: MessageDescriptor, output: MessageDescriptor) {
        guard let input = self.message(named: method.inputType), let output = self.message(named: method.outputType)
        else { preconditionFailure("A pool holds the types of \(method.path).") }
        return (input, output)
    }

    /// Holds every name that is used against what is declared.
    private func checkNames() throws(DescriptorError) {
        for file in self.files {
            for name in file.dependencies where self.fileIndices[name] == nil {
                throw DescriptorError("\(file.name) imports \(name), which is not in the set.")
            }
        }
        for (symbol, _) in self.symbols.values {
            switch symbol {
            case .field(let field):
                try self.checkType(of: field)
            case .method(let method):
                for name in [method.inputType, method.outputType] where self.message(named: name) == nil {
                    throw DescriptorError("\(method.path) is of a type \(name), which is not in the set.")
                }
            case .message, .oneof, .enumeration, .enumValue, .service:
                break
            }
        }
    }

    private func checkType(of field: FieldDescriptor) throws(DescriptorError) {
        switch (field.kind, self.symbol(named: field.typeName)) {
        case (.message, .message), (.enumeration, .enumeration):
            break
        case (.message, _), (.enumeration, _):
            throw DescriptorError("\(field.fullName) is of a type \(field.typeName), which is not in the set.")
        default:
            break
        }
    }
}

/// Collects what files declare.
private struct SymbolIndex {
    private(set) var symbols: [String: (symbol: Symbol, fileIndex: Int)] = [:]

    mutating func add(_ file: ProtoFile, at fileIndex: Int) {
        for message in file.messages {
            self.add(message, fileIndex)
        }
        for enumeration in file.enums {
            self.add(enumeration, fileIndex)
        }
        for service in file.services {
            self.symbols[service.fullName] = (.service(service), fileIndex)
            for method in service.methods {
                self.symbols["\(service.fullName).\(method.name)"] = (.method(method), fileIndex)
            }
        }
    }

    private mutating func add(_ message: MessageDescriptor, _ fileIndex: Int) {
        self.symbols[message.fullName] = (.message(message), fileIndex)
        for field in message.fields {
            self.symbols[field.fullName] = (.field(field), fileIndex)
        }
        for oneof in message.oneofs {
            self.symbols["\(message.fullName).\(oneof)"] = (.oneof(oneof, of: message), fileIndex)
        }
        for nested in message.messages {
            self.add(nested, fileIndex)
        }
        for enumeration in message.enums {
            self.add(enumeration, fileIndex)
        }
    }

    private mutating func add(_ enumeration: EnumDescriptor, _ fileIndex: Int) {
        self.symbols[enumeration.fullName] = (.enumeration(enumeration), fileIndex)
        let scope = enumeration.fullName.lastIndex(of: ".").map { enumeration.fullName[...$0] } ?? ""
        for value in enumeration.values {
            self.symbols["\(scope)\(value.name)"] = (.enumValue(value.name, of: enumeration), fileIndex)
        }
    }
}
