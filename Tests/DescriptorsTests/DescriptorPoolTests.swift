@testable import Descriptors
import ProtobufC
import RollcallTesting
import Testing

/// The published proto files, as the program knows them.
@Suite struct DescriptorPoolTests {
    private let pool = DescriptorPool.embedded

    @Test func filesStandAfterWhatTheyImport() {
        var seen: Set<String> = []
        for file in self.pool.files {
            #expect(seen.isSuperset(of: file.dependencies), "\(file.name)")
            seen.insert(file.name)
        }
        #expect(seen.contains("rollcall/v1/devices.proto"))
        #expect(seen.contains("google/protobuf/timestamp.proto"))
        #expect(seen.contains("grpc/reflection/v1alpha/reflection.proto"))
    }

    @Test func symbolsOfEveryKindLeadToTheirFile() {
        let symbols = [
            "rollcall.v1.Device": "rollcall/v1/resources.proto",
            "rollcall.v1.Device.owner_ref": "rollcall/v1/resources.proto",
            "rollcall.v1.GroupValue.kind": "rollcall/v1/devices.proto",
            "rollcall.v1.DeviceView": "rollcall/v1/resources.proto",
            "rollcall.v1.DEVICE_VIEW_FULL": "rollcall/v1/resources.proto",
            "rollcall.v1.Devices": "rollcall/v1/devices.proto",
            "rollcall.v1.Devices.GetDevice": "rollcall/v1/devices.proto",
            "grpc.health.v1.HealthCheckResponse.ServingStatus": "grpc/health/v1/health.proto",
            "grpc.health.v1.HealthCheckResponse.SERVING": "grpc/health/v1/health.proto",
            "grpc.health.v1.HealthListResponse.StatusesEntry.key": "grpc/health/v1/health.proto",
        ]
        for (symbol, file) in symbols {
            #expect(self.pool.file(containing: symbol)?.name == file, "\(symbol)")
            #expect(self.pool.symbol(named: symbol) != nil)
        }
        for symbol in ["", "rollcall.v1", "rollcall.v1.Devices/GetDevice", ".rollcall.v1.Device", "Device"] {
            #expect(self.pool.file(containing: symbol) == nil, "\(symbol)")
        }
    }

    @Test func methodsHaveTheirTypesAndDirections() throws {
        let health = try #require(self.pool.service(named: "grpc.health.v1.Health"))
        let expected = [
            MethodDescriptor(
                service: "grpc.health.v1.Health", name: "Check", inputType: "grpc.health.v1.HealthCheckRequest",
                outputType: "grpc.health.v1.HealthCheckResponse", isClientStreaming: false, isServerStreaming: false),
            MethodDescriptor(
                service: "grpc.health.v1.Health", name: "List", inputType: "grpc.health.v1.HealthListRequest",
                outputType: "grpc.health.v1.HealthListResponse", isClientStreaming: false, isServerStreaming: false),
            MethodDescriptor(
                service: "grpc.health.v1.Health", name: "Watch", inputType: "grpc.health.v1.HealthCheckRequest",
                outputType: "grpc.health.v1.HealthCheckResponse", isClientStreaming: false, isServerStreaming: true),
        ]
        #expect(health.methods == expected)
        let reflection = try #require(self.pool.service(named: "grpc.reflection.v1.ServerReflection")).methods[0]
        #expect(reflection.isClientStreaming && reflection.isServerStreaming)
        #expect(self.pool.messages(of: reflection).input.fullName == "grpc.reflection.v1.ServerReflectionRequest")
    }

    @Test func fieldsHaveTheirNamesKindsAndGroups() throws {
        let device = try #require(self.pool.message(named: "rollcall.v1.Device"))
        let owner = try #require(device.field(named: "ownerRef"))
        #expect(owner == device.field(named: "owner_ref"))
        #expect(owner.kind == .string)
        #expect(!owner.isRepeated)
        let seen = try #require(device.field(named: "last_seen"))
        #expect(self.pool.message(of: seen).fullName == "google.protobuf.Timestamp")
        let value = try #require(self.pool.message(named: "rollcall.v1.GroupValue"))
        #expect(value.oneofs == ["kind"])
        #expect(value.fields.allSatisfy { $0.oneofIndex == 0 })
        let map = try #require(self.pool.message(named: "grpc.health.v1.HealthListResponse.StatusesEntry"))
        #expect(map.isMapEntry)
        #expect(!value.isMapEntry)
    }

    @Test func bothVersionsOfReflectionAreTheSameButForTheirName() throws {
        func shape(_ version: String) throws -> [String] {
            let file = try #require(self.pool.file(named: "grpc/reflection/\(version)/reflection.proto"))
            let fields = file.messages.flatMap(\.fields).map { field in
                "\(field.fullName) \(field.number) \(field.kind) \(field.typeName) \(field.isRepeated) "
                    + "\(field.oneofIndex ?? -1)"
            }
            let methods = file.services.flatMap(\.methods).map { "\($0)" }
            return (fields + methods).map { $0.replacing("reflection.\(version).", with: "reflection.") }
        }
        #expect(try shape("v1") == shape("v1alpha"))
        #expect(try shape("v1").count > 20)
    }

    @Test func everyKindOfFieldIsRead() throws {
        let message = try #require(DescriptorSample.pool.message(named: DescriptorSample.everything))
        for kind in FieldDescriptor.Kind.allCases {
            let field = try #require(message.field(named: "one_\(kind)"))
            #expect(field.kind == kind)
            #expect(field.number == DescriptorSample.number(of: kind))
            #expect(message.field(named: "many_\(kind)")?.isRepeated == true)
        }
        let colour = try #require(message.field(named: "oneEnumeration"))
        #expect(DescriptorSample.pool.enumeration(of: colour).number(of: "COLOUR_BLUE") == -2)
        #expect(DescriptorSample.pool.enumeration(of: colour).name(of: 1) == "COLOUR_RED")
    }

    @Test func anIncompleteOrBrokenSetIsRefused() throws {
        let files = self.pool.files.map(\.bytes)
        let withoutTimestamp = self.pool.files.filter { !$0.name.hasSuffix("timestamp.proto") }.map(\.bytes)
        #expect(throws: DescriptorError.self) {
            try DescriptorPool(encoded: DescriptorSample.encodedSet(of: withoutTimestamp)[...])
        }
        #expect(throws: DescriptorError.self) {
            try DescriptorPool(encoded: DescriptorSample.encodedSet(of: files)[...].dropLast())
        }
        #expect(throws: DescriptorError.self) {
            try DescriptorPool(encoded: DescriptorSample.encodedSet(of: [[0xFF]])[...])
        }
        #expect(try DescriptorPool(encoded: []).files.isEmpty)
    }
}
