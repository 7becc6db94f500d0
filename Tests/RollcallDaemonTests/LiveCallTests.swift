import Foundation
import RollcallTesting
import Testing

/// `rollcall call` at the real daemon: what goes in, what comes out, and how it ends.
@Suite(.sharedDaemon, .serialized, .timeLimit(.minutes(1))) struct LiveCallTests {
    private let socketPath: String

    init() throws {
        self.socketPath = try SharedDaemon.daemon().socketPath
    }

    private func call(_ words: String..., input: String = "") async throws -> ProcessOutput {
        try await ChildProcess.run("rollcall", ["call"] + words + ["--address", self.socketPath], input: input)
    }

    @Test func aMessageGoesInAndOneComesOut() async throws {
        let slug = UUID().uuidString
        let project = try await self.call("Projects/CreateProject", #"{"project": {"slug": "\#(slug)", "name": "é"}}"#)
        #expect(project.end == .exit(0), "\(project.standardError)")
        #expect(project.standardOutput.contains(#""slug": "\#(slug)", "name": "é", "created_date": "2"#))
        let device = """
            {"project": "\(slug)", "device": {"deviceSerial": "A-1", "owner_ref": "ada", "hardware_version": "h1"}}
            """
        let created = try await self.call("rollcall.v1.Devices/CreateDevice", "-", input: device)
        #expect(created.end == .exit(0), "\(created.standardError)")
        let updated = try await self.call(
            "Devices/UpdateDevice",
            #"{"project": "\#(slug)", "device": {"device_serial": "A-1", "owner_ref": "bob"}, "update_mask": "ownerRef"}"#
        )
        #expect(
            updated.standardOutput.contains(#""device_serial": "A-1", "owner_ref": "bob", "hardware_version": "h1""#))
        let deleted = try await self.call("Devices/DeleteDevice", #"{"project": "\#(slug)", "device_serial": "A-1"}"#)
        #expect(deleted.end == .exit(0), "\(deleted.standardError)")
        #expect(deleted.standardOutput == "{}\n")
    }

    @Test func aRefusalIsToldAsByEveryCommand() async throws {
        let words = try await self.call("Devices/GetDevice", #"{"device_serial": "NONE"}"#)
        #expect(words.end == .exit(1))
        #expect(words.standardOutput.isEmpty)
        #expect(words.standardError.hasPrefix("rollcall: "))
        let json = try await self.call("Devices/GetDevice", #"{"device_serial": "NONE"}"#, "--output", "json")
        #expect(json.standardError.contains(#""type": "DEVICE_NOT_FOUND""#))
    }

    @Test func wrongInputIsExitCode2() async throws {
        let argument = try await self.call("Devices/GetDevice", #"{"serial": "A"}"#)
        #expect(argument.end == .exit(2))
        #expect(argument.standardError.hasPrefix("Error: JSON 1:2: There is no field 'serial'"))
        let typed = try await self.call("Devices/GetDevice", "-", input: "{\n \"view\": \"FULL\"}")
        #expect(typed.end == .exit(2))
        #expect(typed.standardError.hasPrefix("Error: JSON 2:10: 'view' is of rollcall.v1.DeviceView"))
        let nothing = try await self.call("Devices/GetDevice", "-")
        #expect(nothing.end == .exit(2))
        #expect(nothing.standardError.hasPrefix("Error: There is no JSON"))
    }

    @Test func checkInsStreamInAndAreAcknowledgedALineEach() async throws {
        let serial = UUID().uuidString
        let checkIns = """
            {"device_serial": "\(serial)", "hardware_version": "h1", "create_missing": true}
            {"device_serial": "no serial"}
            {"device_serial": "\(serial)"}
            """
        let output = try await self.call("Devices/CheckInStream", "-", input: checkIns)
        #expect(output.end == .exit(0), "\(output.standardError)")
        let lines = output.standardOutput.split(separator: "\n")
        #expect(lines.count == 3)
        for (index, part) in [serial, "FIELD_INVALID", serial].enumerated() {
            #expect(lines[index].hasPrefix("{\"position\": \"\(index + 1)\"") && lines[index].contains(part))
        }
    }

    @Test func aStreamIsALineOfJSONForEachMessage() async throws {
        let output = try await self.call(
            "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "-",
            input: """
                {"list_services": "*"}
                {"file_containing_symbol": "no.such.Thing"}
                {"fileByFilename": "google/protobuf/any.proto"}
                """)
        #expect(output.end == .exit(0), "\(output.standardError)")
        let lines = output.standardOutput.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.first?.contains(#"{"name": "rollcall.v1.Devices"}"#) == true)
        #expect(lines.dropFirst().first?.contains(#""error_response": {"error_code": 5, "#) == true)
        #expect(lines.last?.contains(#""file_descriptor_response": {"file_descriptor_proto": ["#) == true)
    }

    @Test func wrongInputEndsAStreamWhoseBeginningWasAnswered() async throws {
        let output = try await self.call(
            "v1.ServerReflection/ServerReflectionInfo", "-", input: #"{"list_services": ""} {"x": 1}"#)
        #expect(output.end == .exit(2))
        #expect(output.standardError.hasPrefix("Error: JSON 1:24: There is no field 'x'"))
    }

    @Test func aWatchGoesOnUntilTheDrain() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let words = ["call", "Health/Watch", "--address", daemon.socketPath]
            try await ChildProcess.with("rollcall", words) { watch in
                // Another process tells in no other way that it has said something.
                while watch.standardOutput.isEmpty, watch.isRunning {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(watch.standardOutput == "{\"status\": \"SERVING\"}\n")
                #expect(await daemon.stop() == .exit(0))
                #expect(await watch.end() == .exit(1))
                #expect(watch.standardError.contains("shutting down"))
            }
        }
    }

    @Test func aGivenTimeEndsAStreamToo() async throws {
        let output = try await self.call("Health/Watch", "--timeout", "0.3")
        #expect(output.end == .exit(4))
        #expect(output.standardOutput == "{\"status\": \"SERVING\"}\n")
    }
}
