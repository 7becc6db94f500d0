// `rollcall import` and `rollcall export` at the real daemon.

import DeviceModel
import Foundation
import RollcallClient
import RollcallTesting
import Testing

@Suite(.sharedDaemon, .timeLimit(.minutes(2))) struct LiveBulkCommandTests {
    private let seen: Timestamp

    init() throws {
        self.seen = try #require(Timestamp(rfc3339: "2024-01-19T05:01:13.123456Z"))
    }

    private func rollcall(_ words: [String], project: String, input: String = "") async throws -> ProcessOutput {
        let daemon = try SharedDaemon.daemon()
        return try await ChildProcess.run(
            "rollcall", words + ["--address", daemon.socketPath, "--project", project], input: input)
    }

    /// Devices with everything that may be set, and with texts that files find hard.
    private func difficultFleet(_ client: RollcallClient) async throws {
        _ = try await client.createCohort("beta", name: "Beta, \"Channel\"")
        let texts = [
            "a,b", "say \"so\"", "two\nlines\r\n", " blank ", "12", "true", "", "é\u{1F600}\u{7}", "-", "1e5",
            "x\u{2028}",
        ]
        var items: [ImportItem] = []
        for (index, text) in texts.enumerated() {
            let time = self.seen.advanced(byMicroseconds: Int64(index))
            items.append(
                ImportItem(
                    serial: "D:\(index)", ownerRef: text.isEmpty ? "nobody" : text, hardwareVersion: "h+1",
                    cohort: index % 2 == 0 ? "beta" : nil, lastSeen: index == 3 ? nil : time,
                    release: index == 3
                        ? nil : Release(id: 0, version: text.isEmpty ? "1" : text, revision: index == 5 ? "" : text),
                    attributes: [
                        AttributeUpdate(key: "Text here", value: .string(text), time: time),
                        AttributeUpdate(key: "whole", value: .int(.min + Int64(index)), time: time),
                        AttributeUpdate(key: "part", value: .float(index == 0 ? -0.0 : 1 / Double(index)), time: time),
                        AttributeUpdate(key: "is", value: .bool(index == 1), time: time),
                    ]))
        }
        items.append(ImportItem(serial: "unowned", hardwareVersion: "h", lastSeen: self.seen))
        let summary = try await client.importDevices(ItemSequence(items))
        #expect(summary.failedCount == 0)
    }

    /// What an import can set of a device.
    private func settable(_ device: Device, withTimes: Bool) -> [String] {
        [
            device.deviceSerial, device.ownerRef, device.hardwareVersion,
            "\(device.lastSeen.map(\.description) ?? "-")",
            "\(device.lastSeenRelease.map { [$0.version, $0.revision] } ?? [])", device.cohort.slug,
        ]
            + device.attributes.map {
                "\($0.customMetric.stringKey) \($0.state.value) \(withTimes ? $0.state.time.description : "")"
            }
    }

    @Test(arguments: ["ndjson", "csv"])
    func anExportImportsWhatWasThere(format: String) async throws {
        let daemon = try SharedDaemon.daemon()
        try await daemon.withClient { client in
            let source = client.with(project: try await client.createProject(UUID().uuidString).slug)
            let target = client.with(project: try await client.createProject(UUID().uuidString).slug)
            try await self.difficultFleet(source)
            let export = try await self.rollcall(["export", "--output", format], project: source.project)
            #expect(export.end == .exit(0))
            #expect(export.standardError == "exported: devices=12\n")
            let imported = try await self.rollcall(
                ["import", "-", "--create-cohorts"], project: target.project, input: export.standardOutput)
            #expect(imported.end == .exit(0), "\(imported.standardError)")
            #expect(imported.standardError.hasPrefix("imported: created=12 updated=0 failed=0 lines="))
            let before = try await source.exportedDevices().map { self.settable($0, withTimes: format == "ndjson") }
            let after = try await target.exportedDevices().map { self.settable($0, withTimes: format == "ndjson") }
            #expect(before == after)
            // Once more as an upsert: nothing is left to change.
            let again = try await self.rollcall(
                ["import", "-", "--mode", "upsert"], project: target.project, input: export.standardOutput)
            #expect(again.standardError.hasPrefix("imported: created=0 updated=12 failed=0 lines="))
            #expect(
                try await target.exportedDevices().map { self.settable($0, withTimes: format == "ndjson") } == after)
        }
    }

    @Test func aLineOfAnExportIsWhatGetShows() async throws {
        let daemon = try SharedDaemon.daemon()
        try await daemon.withClient { client in
            let client = client.with(project: try await client.createProject(UUID().uuidString).slug)
            try await self.difficultFleet(client)
            for view in ["full", "basic"] {
                let export = try await self.rollcall(["export", "--view", view], project: client.project)
                let lines = export.standardOutput.split(separator: "\n").map(String.init)
                #expect(lines.count == 12)
                for index in [0, 2, 7, 10] where index < lines.count {
                    let shown = try await self.rollcall(
                        ["get", "D:\(index)", "--view", view, "--output", "ndjson"], project: client.project)
                    #expect(shown.standardOutput == lines[index] + "\n")
                }
            }
        }
    }

    @Test func failuresGoToTheirFileAndMakeExitCode1() async throws {
        let daemon = try SharedDaemon.daemon()
        let folder = try TemporaryFolder()
        try await daemon.withClient { client in
            let project = try await client.createProject(UUID().uuidString).slug
            let rows = (1...40).map { "S\($0 == 40 ? 1 : $0),\($0 % 2 == 0 ? "o" : ""),h" }
            let text = "device_serial,owner_ref,hardware_version\n" + rows.joined(separator: "\n") + "\nX,o\n"
            let output = try await self.rollcall(
                ["import", "-", "--failures", folder.path("f.csv")], project: project, input: text)
            #expect(output.end == .exit(1))
            let lines = output.standardError.split(separator: "\n")
            #expect(lines.count == 12, "\(output.standardError)")
            #expect(lines.first == "line 42: The record has 2 fields, and the header 3.")
            #expect(lines[1] == "line 2 (S1): owner_ref must not be empty unless last_seen is given.")
            #expect(lines[10] == "and 11 more; see the file of failures")
            #expect(lines[11] == "imported: created=20 updated=0 failed=21 lines=42")
            let failures = try String(contentsOfFile: folder.path("f.csv"), encoding: .utf8)
            #expect(failures.split(separator: "\r\n").count == 22)
            #expect(
                failures.hasPrefix(
                    "line,device_serial,reason\r\n42,,\"The record has 2 fields, and the header 3.\"\r\n"))
            #expect(failures.contains("\r\n2,S1,owner_ref must not be empty unless last_seen is given.\r\n"))
        }
    }

    @Test func anImportGoesOnWhereItWasTold() async throws {
        let daemon = try SharedDaemon.daemon()
        try await daemon.withClient { client in
            let project = try await client.createProject(UUID().uuidString).slug
            let head = "device_serial,owner_ref,hardware_version\nS1,\"a\nb\",h\nS2,o,h\n"
            let broken = try await self.rollcall(["import", "-"], project: project, input: head + "S3,\"o,h\nS4,o,h\n")
            #expect(broken.end == .exit(1))
            #expect(
                broken.standardError == """
                    Every device through line 4 is stored or has failed; go on with --skip-lines 4.
                    rollcall: Line 5: A quote is opened and never closed.
                    imported: created=2 updated=0 failed=0 lines=4

                    """)
            let rest = try await self.rollcall(
                ["import", "-", "--skip-lines", "4"], project: project, input: head + "S3,o,h\nS4,o,h\n")
            #expect(rest.end == .exit(0))
            #expect(rest.standardError == "imported: created=2 updated=0 failed=0 lines=6\n")
            let all = try await client.with(project: project).exportedDevices()
            #expect(all.map(\.deviceSerial) == ["S1", "S2", "S3", "S4"])
            let done = try await self.rollcall(
                ["import", "-", "--skip-lines", "6"], project: project, input: head + "S3,o,h\nS4,o,h\n")
            #expect(done.end == .exit(0))
            let beyond = try await self.rollcall(
                ["import", "-", "--skip-lines", "7"], project: project, input: head + "S3,o,h\nS4,o,h\n")
            #expect(beyond.end == .exit(1))
            #expect(
                beyond.standardError.contains(
                    "rollcall: --skip-lines 7 goes beyond the file: the last device is on line 6.\n"))
        }
    }

    @Test func anInterruptedImportStoresWhatItHasReadAndSaysHowFar() async throws {
        let daemon = try SharedDaemon.daemon()
        let folder = try TemporaryFolder()
        let pipe = folder.path("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        // Open for both, so that neither side waits for the other.
        let file = try #require(FileHandle(forUpdatingAtPath: pipe))
        try await daemon.withClient { client in
            let client = client.with(project: try await client.createProject(UUID().uuidString).slug)
            try file.write(
                contentsOf: Data("device_serial,owner_ref,hardware_version\nA,o,h\nB,o,h\nC,o,h\nD,o\n".utf8))
            let words = ["import", pipe, "--address", daemon.socketPath, "--project", client.project]
            try await ChildProcess.with("rollcall", words) { child in
                // Once it has said what is wrong with the last line, it has read those before it, and waits for more.
                try await poll { child.standardError.contains("line 5") }
                child.signal(SIGINT)
                #expect(await child.end() == .exit(130))
                #expect(
                    child.standardError == """
                        line 5: The record has 2 fields, and the header 3.
                        Every device through line 4 is stored or has failed; go on with --skip-lines 4.
                        imported: created=3 updated=0 failed=1 lines=5

                        """)
            }
            #expect(try await client.exportedDevices().map(\.deviceSerial) == ["A", "B", "C"])
        }
    }

    @Test func whatIsWrongWithTheCommandLineIsSaidAtOnce() async throws {
        let folder = try TemporaryFolder()
        for words in [
            ["export", "--output", "json"], ["export", "--output", "table"], ["import", "-", "--output", "csv"],
            ["import", folder.path("none")], ["import", "-", "--mode", "replace"], ["import", "-", "--skip-lines=-1"],
            ["export", "--file", folder.path("no/such/folder")],
        ] {
            let output = try await self.rollcall(words, project: "default")
            #expect(output.end == .exit(2), "\(words): \(output.standardError)")
        }
        let header = try await self.rollcall(["import", "-"], project: "default", input: "serial\nA\n")
        #expect(header.end == .exit(2))
        #expect(header.standardError.hasPrefix("Error: Line 1: The header's column 1, 'serial', is unknown"))
    }

    /// A link is followed, a mode kept, and what is no file is written to and not replaced.
    @Test func anExportReplacesNothingButAFile() async throws {
        let folder = try TemporaryFolder()
        let (file, link, pipe) = (folder.path("f"), folder.path("l"), folder.path("p"))
        #expect(FileManager.default.createFile(atPath: file, contents: nil, attributes: [.posixPermissions: 0o600]))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        let project = try await SharedDaemon.daemon().withClient { client in
            let project = try await client.createProject(UUID().uuidString).slug
            _ = try await client.with(project: project).createDevice("A", ownerRef: "ada", hardwareVersion: "h1")
            return project
        }
        func export(_ path: String) async throws {
            let output = try await self.rollcall(["export", "--file", path], project: project)
            #expect(output.end == .exit(0), "\(output.standardError)")
        }
        func type(_ path: String) throws -> FileAttributeType? {
            try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        }
        try await export(link)
        #expect(try type(link) == .typeSymbolicLink)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains(#""device_serial": "A""#))
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)

        #expect(mkfifo(pipe, 0o600) == 0)
        // Open at both ends, so that neither waits for the other.
        let reader = open(pipe, O_RDWR | O_NONBLOCK)
        defer { close(reader) }
        try await export(pipe)
        var first: UInt8 = 0
        #expect(read(reader, &first, 1) == 1 && first == UInt8(ascii: "{"))
        #expect(try type(pipe) != .typeRegular)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")).sorted() == ["f", "l", "p"])
    }

    @Test func failuresDoNotReplaceWhatIsImported() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("devices.csv")
        try "device_serial,owner_ref,hardware_version\nA,ada,h1\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        let output = try await self.rollcall(["import", "--failures", file, file], project: "default")
        #expect(output.end == .exit(2))
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("device_serial"))
    }

    @Test func anExportedFileAppearsWhole() async throws {
        let daemon = try SharedDaemon.daemon()
        let folder = try TemporaryFolder()
        try await daemon.withClient { client in
            let client = client.with(project: try await client.createProject(UUID().uuidString).slug)
            try await self.difficultFleet(client)
            let path = folder.path("fleet.csv")
            let output = try await self.rollcall(
                ["export", "--output", "csv", "--file", path, "--cohort", "beta"], project: client.project)
            #expect(output.standardOutput.isEmpty)
            #expect(output.standardError == "exported: devices=6\n")
            #expect(FileManager.default.fileExists(atPath: path))
            #expect(!FileManager.default.fileExists(atPath: path + ".partial"))
            let refused = try await self.rollcall(
                ["export", "--file", folder.path("other"), "--filter", "colour = 1"], project: client.project)
            #expect(refused.end == .exit(1))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")) == ["fleet.csv"])
        }
    }
}
