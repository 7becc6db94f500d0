// From the bytes of google/protobuf/descriptor.proto to descriptors. Of its fields only those are read that are asked
// for; extensions and options other than `map_entry` are not.

internal import ProtobufC

extension ProtoFile {
    /// - Parameter bytes: An encoded FileDescriptorProto.
    init(encoded bytes: ArraySlice<UInt8>) throws(DescriptorError) {
        let message = try DescriptorFields(bytes)
        let package = message.text(2)
        self.name = message.text(1)
        self.package = package
        self.dependencies = message.texts(3)
        self.bytes = Array(bytes)
        self.messages = try message.each(4) { part throws(DescriptorError) in
            try MessageDescriptor(part, scope: package)
        }
        self.enums = try message.each(5) { part throws(DescriptorError) in try EnumDescriptor(part, scope: package) }
        self.services = try message.each(6) { part throws(DescriptorError) in
            try ServiceDescriptor(part, scope: package)
        }
    }
}

extension MessageDescriptor {
    fileprivate init(_ message: DescriptorFields, scope: String) throws(DescriptorError) {
        let fullName = message.name(in: scope)
        self.fullName = fullName
        self.fields = try message.each(2) { part throws(DescriptorError) in
            try FieldDescriptor(part, scope: fullName)
        }
        self.messages = try message.each(3) { part throws(DescriptorError) in
            try MessageDescriptor(part, scope: fullName)
        }
        self.enums = try message.each(4) { part throws(DescriptorError) in try EnumDescriptor(part, scope: fullName) }
        self.oneofs = try message.each(8) { part throws(DescriptorError) in part.text(1) }
        self.isMapEntry = try message.each(7) { part throws(DescriptorError) in part.number(7) == 1 }.contains(true)
    }
}

extension FieldDescriptor {
    fileprivate init(_ message: DescriptorFields, scope: String) throws(DescriptorError) {
        self.fullName = message.name(in: scope)
        self.name = message.text(1)
        self.jsonName = message.text(10)
        self.number = Int(truncatingIfNeeded: message.number(3) ?? 0)
        guard let kind = message.number(5).flatMap(Kind.init(rawValue:)) else {
            throw DescriptorError("\(self.fullName) is of a type that is not known here.")
        }
        self.kind = kind
        self.typeName = message.typeName(6)
        self.isRepeated = message.number(4) == 3
        self.oneofIndex = message.number(9).map { Int(truncatingIfNeeded: $0) }
    }
}

extension EnumDescriptor {
    fileprivate init(_ message: DescriptorFields, scope: String) throws(DescriptorError) {
        self.fullName = message.name(in: scope)
        self.values = try message.each(2) { part throws(DescriptorError) in
            Value(name: part.text(1), number: Int32(truncatingIfNeeded: part.number(2) ?? 0))
        }
    }
}

extension ServiceDescriptor {
    fileprivate init(_ message: DescriptorFields, scope: String) throws(DescriptorError) {
        let fullName = message.name(in: scope)
        self.fullName = fullName
        self.methods = try message.each(2) { part throws(DescriptorError) in
            MethodDescriptor(
                service: fullName,
                name: part.text(1),
                inputType: part.typeName(2),
                outputType: part.typeName(3),
                isClientStreaming: part.number(5) == 1,
                isServerStreaming: part.number(6) == 1
            )
        }
    }
}

/// The fields of one message of a descriptor.
struct DescriptorFields {
    private let fields: [WireField]

    init(_ bytes: ArraySlice<UInt8>) throws(DescriptorError) {
        var fields: [WireField] = []
        var reader = WireFields(bytes)
        do throws(DecodingError) {
            while let field = try reader.next() {
                fields.append(field)
            }
        } catch {
            throw DescriptorError("The descriptor set cannot be read: \(error)")
        }
        self.fields = fields
    }

    /// Every value of a repeated field of bytes.
    func bytes(_ number: Int) -> [ArraySlice<UInt8>] {
        self.fields.compactMap { field in
            guard field.number == number, case .bytes(let value) = field.value else { return nil }
            return value
        }
    }

    func texts(_ number: Int) -> [String] {
        self.bytes(number).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A text, empty if it is not set.
    func text(_ number: Int) -> String {
        self.texts(number).last ?? ""
    }

    /// A full name without the dot that stands before it.
    func typeName(_ number: Int) -> String {
        let name = self.text(number)
        return name.hasPrefix(".") ? String(name.dropFirst()) : name
    }

    /// The full name of what this message describes: its field 1 is the name in all of them.
    func name(in scope: String) -> String {
        scope.isEmpty ? self.text(1) : "\(scope).\(self.text(1))"
    }

    /// A number, nil if it is not set.
    func number(_ number: Int) -> UInt64? {
        self.fields.last { $0.number == number }.flatMap { field in
            if case .varint(let value) = field.value { value } else { nil }
        }
    }

    /// What `make` makes of every message in a repeated field.
    func each<Value>(
        _ number: Int, _ make: (DescriptorFields) throws(DescriptorError) -> Value
    ) throws(DescriptorError) -> [Value] {
        var values: [Value] = []
        for bytes in self.bytes(number) {
            values.append(try make(DescriptorFields(bytes)))
        }
        return values
    }
}
