// The file of metrics: its format, and when it is written.

import DeviceModel
import Foundation
import RollcallClient
import RollcallTesting
import Testing

@testable import RollcallDaemon

@Suite(.timeLimit(.minutes(1))) struct MetricsFileTests {
    // MARK: Format

    @Test func everyFamilyIsWrittenAsTheFormatHasIt() throws {
        let families = try PrometheusParser.families(of: Self.stats.prometheusText)
        for (name, family) in families {
            #expect(name.hasPrefix("rollcall_") && !family.help.isEmpty, "\(name)")
            #expect(!family.samples.isEmpty, "\(name)")
            #expect((family.kind == "counter") == name.hasSuffix("_total"), "\(name)")
        }
        let calls = try #require(families["rollcall_calls_total"])
        #expect(
            calls.samples.map(\.labels) == [
                ["protocol": "ttrpc", "method": "rollcall.v1.Devices/GetDevice", "code": "OK"],
                ["protocol": "ttrpc", "method": "rollcall.v1.Devices/GetDevice", "code": "NOT_FOUND"],
                ["protocol": "grpc", "method": "unknown", "code": "UNIMPLEMENTED"],
            ])
        #expect(calls.samples.map(\.value) == [2, 1, 4])
        #expect(families["rollcall_uptime_seconds"]?.samples.map(\.value) == [1.5])
    }

    @Test func bucketsAreCumulativeAndEndWithAllOfThem() throws {
        let families = try PrometheusParser.families(of: Self.stats.prometheusText)
        let histograms = families.filter { $0.value.kind == "histogram" }
        #expect(histograms.count == 4)
        for (name, family) in histograms {
            for (labels, series) in Dictionary(grouping: family.samples, by: \.labelsWithoutBound) {
                let buckets = series.filter { $0.name == "\(name)_bucket" }
                let bounds = try buckets.map { try #require(Double($0.labels["le"] ?? "")) }
                #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count, "\(name) \(labels)")
                #expect(buckets.map(\.value) == buckets.map(\.value).sorted(), "\(name) \(labels)")
                #expect(buckets.last?.labels["le"] == "+Inf")
                let count = try #require(series.first { $0.name == "\(name)_count" })
                #expect(count.value == buckets.last?.value, "\(name) \(labels)")
                #expect(series.count { $0.name == "\(name)_sum" } == 1, "\(name) \(labels)")
            }
        }
        let latency = try #require(families["rollcall_call_duration_seconds"]).samples.filter {
            $0.labels["protocol"] == "ttrpc"
        }
        // Two calls of 1,024 ns and one of 5 s.
        #expect(latency.first { $0.labels["le"] == "1.024e-06" }?.value == 2)
        #expect(latency.first { $0.labels["le"] == "4.294967296" }?.value == 2)
        #expect(latency.first { $0.labels["le"] == "8.589934592" }?.value == 3)
        #expect(latency.first { $0.name.hasSuffix("_sum") }?.value == 5.000_002_048)
    }

    @Test func whatWouldBreakALineIsEscaped() throws {
        var text = PrometheusText()
        text.family("a_total", .counter, "One \\ line\nonly.")
        let value = "a \"quoted\" \\ and\nbroken {x=\"y\"} value"
        text.sample("a_total", [("label", value), ("other", "")], value: "1")
        let families = try PrometheusParser.families(of: text.text)
        #expect(families["a_total"]?.help == "One \\ line\nonly.")
        #expect(families["a_total"]?.samples.map(\.labels) == [["label": value, "other": ""]])
    }

    private static let stats: ServerStats = {
        var stats = ServerStats()
        stats.uptime = .milliseconds(1_500)
        var calls = ServerStats.Calls(wire: "ttrpc", method: "rollcall.v1.Devices/GetDevice")
        calls.ended = [.init(code: 0, count: 2), .init(code: 5, count: 1)]
        calls.latency.buckets = [.init(upperBound: 1_024, count: 2), .init(upperBound: 5_100_273_664, count: 1)]
        calls.latency.sum = 5_000_002_048
        calls.latency.max = 5_000_000_000
        var unknown = ServerStats.Calls(wire: "grpc", method: ServerStats.Calls.unknownMethod)
        unknown.ended = [.init(code: 12, count: 4)]
        stats.calls = [calls, unknown]
        stats.connections = [ServerStats.Connections(wire: "grpc"), ServerStats.Connections(wire: "ttrpc")]
        stats.index.memory = [.init(name: "rows", byteCount: 64)]
        return stats
    }()

    // MARK: File

    @Test func theDaemonWritesTheFileWhole() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("rollcall.prom")
        try await DaemonProcess.with(in: folder, ["--metrics-file", path]) { daemon in
            try await poll { FileManager.default.fileExists(atPath: path) }
            let families = try PrometheusParser.families(of: String(contentsOfFile: path, encoding: .utf8))
            #expect(families["rollcall_devices"]?.samples.map(\.value) == [0])
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o644)
            #expect(!FileManager.default.fileExists(atPath: "\(path).tmp"))
            #expect(await daemon.stop() == .exit(0))
        }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func aFileThatCannotBeWrittenIsAnErrorInTheLogAndNoMore() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("none/rollcall.prom")
        try await DaemonProcess.with(in: folder, ["--metrics-file", path]) { daemon in
            try await poll { daemon.child.standardError.contains("metrics file not written") }
            #expect(daemon.child.standardError.contains(path))
            try await daemon.withClient { client in _ = try await client.serverInfo() }
            #expect(await daemon.stop() == .exit(0))
        }
    }
}

/// Reads the text format, strictly: what it does not know is an error.
private enum PrometheusParser {
    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double

        var labelsWithoutBound: [String: String] { self.labels.filter { $0.key != "le" } }
    }

    struct Family {
        let help: String
        var kind = ""
        var samples: [Sample] = []
    }

    struct Problem: Error {
        let line: Substring
    }

    static func families(of text: String) throws -> [String: Family] {
        var families: [String: Family] = [:]
        var current = ""
        guard text.hasSuffix("\n") else { throw Problem(line: text[...]) }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            switch words.first {
            case "#"? where words.count == 4 && words[1] == "HELP":
                current = String(words[2])
                // Each family once, with all that is its own below.
                guard families[current] == nil else { throw Problem(line: line) }
                families[current] = Family(help: Self.unescaped(words[3]))
            case "#"? where words.count == 4 && words[1] == "TYPE" && words[2] == current:
                guard ["counter", "gauge", "histogram"].contains(words[3]), families[current]?.kind == "" else {
                    throw Problem(line: line)
                }
                families[current]?.kind = String(words[3])
            default:
                let sample = try Self.sample(line)
                let suffixes = families[current]?.kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                guard suffixes.contains(where: { current + $0 == sample.name }) else { throw Problem(line: line) }
                families[current]?.samples.append(sample)
            }
        }
        return families
    }

    private static func sample(_ line: Substring) throws -> Sample {
        let name = line.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        var rest = line.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                let label = rest.prefix { $0.isLetter || $0 == "_" }
                rest = rest.dropFirst(label.count)
                guard !label.isEmpty, rest.hasPrefix("=\"") else { throw Problem(line: line) }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    value.append(character)
                    if character == "\\", let next = rest.popFirst() { value.append(next) }
                }
                labels[String(label)] = Self.unescaped(value[...])
                if rest.first == "," { rest.removeFirst() }
                guard !rest.isEmpty else { throw Problem(line: line) }
            }
            rest.removeFirst()
        }
        guard !name.isEmpty, rest.first == " ", let value = Double(rest.dropFirst()) else { throw Problem(line: line) }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func unescaped(_ text: Substring) -> String {
        var (result, rest) = ("", text)
        while let character = rest.popFirst() {
            guard character == "\\", let next = rest.popFirst() else {
                result.append(character)
                continue
            }
            result.append(next == "n" ? "\n" : next)
        }
        return result
    }
}
