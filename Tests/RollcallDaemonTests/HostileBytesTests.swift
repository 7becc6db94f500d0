import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// Bytes that no client would send, at the real daemon.
@Suite struct HostileBytesTests {
    /// Mutated frames that are sent in all.
    private static let mutationCount = 100_000
    /// Frames a connection is sent before the next one is tried.
    private static let framesPerConnection = 200
    /// What a daemon may grow by: arenas and buffers reach their sizes, and stay there.
    private static let growthByteCountMax = 64 << 20

    /// A field of wire type 2.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count < 128, "One byte of length is all that these messages need.")
        return [number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    private static func request(_ stream: UInt32, _ service: String, _ method: String, _ payload: [UInt8]) -> [UInt8] {
        let data =
            self.field(1, Array(service.utf8)) + self.field(2, Array(method.utf8)) + self.field(3, payload)
        return self.bigEndian(UInt32(data.count)) + self.bigEndian(stream) + [1, 0] + data
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func validFrame(_ stream: UInt32, using generator: inout SeededGenerator) -> [UInt8] {
        let serial = self.field(2, Array("D\(UInt8.random(in: 0...9, using: &generator))".utf8))
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: return self.request(stream, "rollcall.v1.Devices", "GetDevice", serial)
        case 1: return self.request(stream, "rollcall.v1.Devices", "ListDevices", [])
        case 2: return self.request(stream, "rollcall.v1.Devices", "CheckIn", serial)
        case 3: return self.request(stream, "rollcall.v1.Server", "GetServerInfo", [])
        default: return self.bigEndian(0) + self.bigEndian(stream) + [3, 5]
        }
    }

    /// Flips, sets, removes, repeats or inserts a few bytes. Mostly behind the length, which would only desynchronise.
    private static func mutate(_ frame: inout [UInt8], using generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let start = Int.random(in: 0..<20, using: &generator) == 0 ? 0 : min(4, frame.count - 1)
            let index = Int.random(in: start..<frame.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: frame[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: frame[index] = UInt8.random(in: 0...255, using: &generator)
            case 2: frame[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
            default: frame.swapAt(index, Int.random(in: start..<frame.count, using: &generator))
            }
        }
    }

    private static func residentByteCount(_ processID: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        let kibibytes = try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return kibibytes << 10
    }

    @Test func mutatedFramesNeitherEndTheDaemonNorMakeItGrow() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            var sent = 0
            var residentAfterWarmUp = 0
            while sent < Self.mutationCount {
                let connection = try #require(RawConnection(daemon.socketPath), "seed \(seed), after \(sent)")
                var bytes: [UInt8] = []
                for index in 0..<Self.framesPerConnection {
                    var frame = Self.validFrame(UInt32(2 * index + 1), using: &generator)
                    Self.mutate(&frame, using: &generator)
                    bytes += frame
                }
                await connection.send(bytes)
                connection.finishSending()
                // Whatever it answers, it comes to an end of its own.
                while let answer = await connection.receive(), !answer.isEmpty {}
                connection.close()
                sent += Self.framesPerConnection
                if sent == Self.mutationCount / 10 {
                    residentAfterWarmUp = try Self.residentByteCount(daemon.child.processID)
                }
            }
            let growth = try Self.residentByteCount(daemon.child.processID) - residentAfterWarmUp
            #expect(growth < Self.growthByteCountMax, "seed \(seed)")
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            _ = try await client.serverInfo()
            await client.close()
            #expect(await daemon.stop() == .exit(0), "seed \(seed): \(daemon.child.standardError)")
        }
    }
}
