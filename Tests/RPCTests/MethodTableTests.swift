import NIOCore
import RPC
import Testing

@Suite struct MethodTableTests {
    private static func method(_ service: String, _ name: String) -> Method {
        Method(
            MethodName(service: service, method: name),
            .immediate { _, _, reply throws(Status) in reply.writeString("\(service)/\(name)") }
        )
    }

    private static func lookup(_ table: MethodTable, _ service: String, _ method: String) -> MethodTable.Lookup {
        Array(service.utf8).withUnsafeBytes { service in
            Array(method.utf8).withUnsafeBytes { table.lookup(service: service, method: $0) }
        }
    }

    @Test func everyMethodIsFoundByTheBytesOfItsName() {
        // Many names with equal beginnings and lengths, so that some share a slot.
        let methods = ["a.v1.Devices", "a.v1.Projects", "b.v1.Devices"].flatMap { service in
            (100..<200).map { Self.method(service, "GetDevice\($0)") }
        }
        let table = MethodTable(methods)
        var indices: Set<MethodIndex> = [.unknown]
        for method in methods {
            guard case .found(let found, let index) = Self.lookup(table, method.name.service, method.name.method) else {
                Issue.record("\(method.name) is not found")
                continue
            }
            #expect(found.name == method.name)
            #expect(indices.insert(index).inserted, "\(method.name)")
        }
    }

    @Test func unknownNamesAreToldApart() {
        let table = MethodTable([Self.method("a.v1.Devices", "GetDevice")])
        for (service, method, isServiceKnown) in [
            ("a.v1.Devices", "GetDevic", true), ("a.v1.Devices", "GetDevices", true), ("a.v1.Devices", "", true),
            ("a.v1.Device", "GetDevice", false), ("", "", false), ("a.v1.Devices/GetDevice", "", false),
        ] {
            switch Self.lookup(table, service, method) {
            case .found: Issue.record("\(service)/\(method) is found")
            case .unknownMethod: #expect(isServiceKnown, "\(service)/\(method)")
            case .unknownService: #expect(!isServiceKnown, "\(service)/\(method)")
            }
        }
    }

    @Test func emptyTableFindsNothing() {
        guard case .unknownService = Self.lookup(MethodTable([]), "a", "b") else {
            Issue.record("An empty table has no service.")
            return
        }
    }
}
