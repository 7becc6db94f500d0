// Names as people write them.

/// Why a name means no one thing.
package enum NameError: Error, Hashable, Sendable {
    case unknown
    /// The full names that it might mean.
    case ambiguous([String])
}

extension DescriptorPool {
    /// The method of a path: in full, such as `rollcall.v1.Devices/GetDevice`, or without the package where that is
    /// enough to tell it from all others.
    package func method(path: String) throws(NameError) -> MethodDescriptor {
        let methods = self.services.flatMap(\.methods)
        if let method = methods.first(where: { $0.path == path }) { return method }
        return try Self.one(methods.filter { $0.path.hasSuffix(".\(path)") }, \.path)
    }

    /// The path of a method, without the package where that is enough.
    package func shortPath(of method: MethodDescriptor) -> String {
        let service = method.service.split(separator: ".").last ?? ""
        let path = "\(service)/\(method.name)"
        return (try? self.method(path: path)) == method ? path : method.path
    }

    /// The full name of something that is declared, from its end where that is enough: `Device`, `Devices/GetDevice`.
    package func fullName(of name: String) throws(NameError) -> String {
        let name = name.replacing("/", with: ".")
        if self.symbol(named: name) != nil { return name }
        return try Self.one(self.symbolNames.filter { $0.hasSuffix(".\(name)") }.sorted(), \.self)
    }

    private static func one<Item>(_ items: [Item], _ name: (Item) -> String) throws(NameError) -> Item {
        guard let item = items.first else { throw .unknown }
        guard items.count == 1 else { throw .ambiguous(items.map(name)) }
        return item
    }
}
