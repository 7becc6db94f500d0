import ArgumentParser
import Descriptors
import DynamicMessage
import JSONText
import NIOCore
import RollcallTesting
import Testing

@testable import rollcall

/// `rollcall call` and `rollcall describe`, as far as they need no server.
@Suite struct CallTests {
    private static let getDevice = "rollcall.v1.Devices/GetDevice"

    private func refusal(_ words: String...) -> String? {
        do {
            _ = try RollcallCommand.parseAsRoot(words)
            return nil
        } catch {
            return RollcallCommand.message(for: error)
        }
    }

    // MARK: Names

    @Test func aMethodGoesByItsFullNameOrAClearEndOfIt() throws {
        let pool = DescriptorPool.embedded
        for name in [Self.getDevice, "v1.Devices/GetDevice", "Devices/GetDevice"] {
            #expect(try pool.method(argument: name).path == Self.getDevice)
        }
        let version = "v1alpha.ServerReflection/ServerReflectionInfo"
        #expect(try pool.method(argument: version).service == "grpc.reflection.v1alpha.ServerReflection")
    }

    @Test func everyMethodHasAShortPathThatLeadsBack() throws {
        let pool = DescriptorPool.embedded
        for method in pool.services.flatMap(\.methods) {
            #expect(try pool.method(argument: pool.shortPath(of: method)) == method)
        }
        #expect(pool.shortPath(of: try pool.method(argument: Self.getDevice)) == "Devices/GetDevice")
    }

    @Test func aNameThatMeansNothingOrTooMuchIsRefused() {
        #expect(
            self.refusal("call", "Devices/GetDevic")
                == "There is no method 'Devices/GetDevic'; did you mean 'Devices/GetDevice'?")
        #expect(self.refusal("call", "GetDevice")?.contains("did you mean 'Devices/GetDevice'?") == true)
        #expect(self.refusal("call", "zzz/yyy")?.contains("'rollcall describe' lists") == true)
        #expect(
            self.refusal("call", "ServerReflection/ServerReflectionInfo", "{}")?.contains(
                "may be any of grpc.reflection.v1.") == true)
        #expect(self.refusal("describe", "Devces") == "There is no declaration 'Devces'; did you mean 'Devices'?")
        #expect(self.refusal("describe", "ServerReflectionInfo")?.hasSuffix("say which.") == true)
    }

    // MARK: Messages

    @Test func whatIsWrongWithTheJSONIsFoundWithoutAServer() {
        let refusals: KeyValuePairs<String, String> = [
            #"{"device_serial": 1}"#: "JSON 1:19: 'device_serial' is a string, not a number.",
            "{\n\"device_seral\": \"\"}":
                "JSON 2:1: There is no field 'device_seral' in rollcall.v1.GetDeviceRequest; did you mean 'device_serial'?",
            "{}{}": "There is more than one JSON value; the method takes one message.",
            "": "There is no JSON; the method takes one message, such as {}.",
            "{": "JSON 1:2: A member's name in double quotes is due.",
        ]
        for (json, sentence) in refusals {
            #expect(self.refusal("call", Self.getDevice, json) == sentence)
        }
        #expect(self.refusal("call", Self.getDevice, "{}", "-o", "csv")?.contains("csv") == true)
        #expect(
            self.refusal("call", "v1.ServerReflection/ServerReflectionInfo")?.contains("a stream of messages") == true)
        for json in ["{}", #"{"deviceSerial": "A", "view": "DEVICE_VIEW_FULL"}"#, "-"] {
            #expect(self.refusal("call", Self.getDevice, json) == nil)
        }
        #expect(self.refusal("call", Self.getDevice) == nil)
    }

    @Test(arguments: [1, 5, 1_000]) func messagesAreSentAsSoonAsTheirTextIsWhole(chunkByteCount: Int) async throws {
        let type = try #require(DescriptorPool.embedded.message(named: "rollcall.v1.GetDeviceRequest"))
        let text = Array("{\"project\": \"a\"}{\"project\":\n\"b\"} {}".utf8)
        let (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        for start in stride(from: 0, to: text.count, by: chunkByteCount) {
            continuation.yield(Array(text[start..<min(start + chunkByteCount, text.count)]))
        }
        continuation.finish()
        var input = CallInput(type: type, text: "-")
        input.readMore = {
            for await chunk in chunks { return chunk }; return nil
        }
        var messages: [[UInt8]] = []
        try await input.forEach { messages.append(Array($0.readableBytesView)) }
        // Field 1 is the project.
        #expect(messages == [[0x0A, 1, 0x61], [0x0A, 1, 0x62], []])
    }

    @Test func whatIsWrongOnStandardInputHasItsPlaceToo() async throws {
        let type = try #require(DescriptorPool.embedded.message(named: "rollcall.v1.GetDeviceRequest"))
        let pieces: KeyValuePairs<String, String> = [
            "{}\n {\"project\": 1}": "JSON 2:14: 'project' is a string, not a number.",
            "{\"project\": ": "JSON 1:13: The text ends where a value is due.",
        ]
        for (text, sentence) in pieces {
            let (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self)
            continuation.yield(Array(text.utf8))
            continuation.finish()
            var input = CallInput(type: type, text: "-")
            input.readMore = {
                for await chunk in chunks { return chunk }; return nil
            }
            let error = await #expect(throws: InputError.self) { try await input.forEach { _ in } }
            #expect(error?.description == sentence)
        }
    }

    // MARK: Descriptions

    private func description(_ symbol: String?) throws -> String {
        var words = ["describe"]
        words += symbol.map { [$0] } ?? []
        let command = try #require(try RollcallCommand.parseAsRoot(words) as? Describe)
        return try command.text
    }

    @Test func withoutASymbolEveryServiceIsListedWithItsMethods() throws {
        let text = try self.description(nil)
        for service in DescriptorPool.embedded.services {
            #expect(text.contains("\(service.fullName)\n"))
            for method in service.methods {
                #expect(text.contains("  \(method.name)("))
            }
        }
        #expect(
            text.contains(
                "  Watch(grpc.health.v1.HealthCheckRequest) returns (stream grpc.health.v1.HealthCheckResponse)\n"))
    }

    @Test func aSymbolIsShownAsItsFileDeclaresIt() throws {
        let texts: KeyValuePairs<String, String> = [
            "GroupValue": """
            // rollcall/v1/devices.proto
            message rollcall.v1.GroupValue {
              oneof kind {
                string string_value = 1;
                int64 int_value = 2;
                double float_value = 3;
                bool bool_value = 4;
                rollcall.v1.Activity activity_value = 5;
              }
            }

            """,
            "rollcall.v1.Device.attributes": """
            // rollcall/v1/resources.proto
            repeated rollcall.v1.Attribute attributes = 11;

            """,
            "UPDATE_MODE_MERGE": """
            // rollcall/v1/devices.proto
            enum rollcall.v1.UpdateMode {
              UPDATE_MODE_UNSPECIFIED = 0;
              UPDATE_MODE_MERGE = 1;
              UPDATE_MODE_REPLACE = 2;
            }

            """,
            "grpc.health.v1.HealthListResponse": """
            // grpc/health/v1/health.proto
            message grpc.health.v1.HealthListResponse {
              map<string, grpc.health.v1.HealthCheckResponse> statuses = 1;
            }

            """,
            "rollcall.v1.Server": """
            // rollcall/v1/server.proto
            service rollcall.v1.Server {
              rpc GetServerInfo(rollcall.v1.GetServerInfoRequest) returns (rollcall.v1.GetServerInfoResponse);
              rpc GetStats(rollcall.v1.GetStatsRequest) returns (rollcall.v1.GetStatsResponse);
              rpc Backup(rollcall.v1.BackupRequest) returns (stream rollcall.v1.BackupResponse);
            }

            """,
            "GetDeviceAttributesRequest": """
            // rollcall/v1/devices.proto
            message rollcall.v1.GetDeviceAttributesRequest {
              string project = 1;
              string device_serial = 2;
              string key_pattern = 3;
            }

            """,
        ]
        for (symbol, text) in texts {
            #expect(try self.description(symbol) == text)
        }
    }

    @Test func aMethodIsShownWithItsMessagesAndACallToStartFrom() throws {
        let text = try self.description("Devices/GetDevice")
        #expect(
            text.hasPrefix(
                "// rollcall/v1/devices.proto\nrpc rollcall.v1.Devices/GetDevice(rollcall.v1.GetDeviceRequest)"))
        #expect(text.contains("\nmessage rollcall.v1.GetDeviceRequest {\n"))
        #expect(text.contains("\nmessage rollcall.v1.Device {\n"))
        #expect(
            text.hasSuffix(
                "// rollcall call Devices/GetDevice '{\"project\": \"\", \"device_serial\": \"\", \"view\": \"DEVICE_VIEW_UNSPECIFIED\"}'\n"
            ))
    }

    @Test func everySymbolHasADescription() throws {
        var command = try #require(try RollcallCommand.parseAsRoot(["describe"]) as? Describe)
        for symbol in DescriptorPool.embedded.symbolNames {
            command.symbol = symbol
            #expect(try command.text.split(separator: "\n").count >= 2, "\(symbol)")
        }
    }

    @Test func everyExampleIsAMessageOfItsMethod() throws {
        let pool = DescriptorPool.embedded
        for method in pool.services.flatMap(\.methods) {
            let input = pool.messages(of: method).input
            let example = MessageCodec().example(of: input).text(.line)
            _ = try MessageCodec().encode(try JSONReader.read(example.utf8), as: input)
        }
    }
}
