import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// Bytes that no client would send, at the real daemon.
@Suite struct HostileBytesTests {
    /// Mutated frames that the daemon takes in, in all.
    private static let mutationCount = 100_000
    /// Frames of a connection that leaves every header as it is.
    private static let framesPerConnection = 1_000
    /// Frames, for each such connection, whose header is mutated; each has a connection of its own, for what came behind
    /// it might be lost.
    private static let badHeadersPerConnection = 50
    /// What a daemon may grow by: arenas and buffers reach their sizes, stores and indexes get their devices.
    private static let growthByteCountMax = 64 << 20

    private struct Call {
        /// Service and method, as an envelope begins with them.
        var names: [UInt8]
        var payload: [UInt8]
        /// The number of its field request_id; nil where it has none.
        var requestIDField: UInt8?

        init(_ method: String, _ payload: [UInt8], requestID field: UInt8? = nil) {
            self.names = WireFrame.request(0, method).data
            self.payload = payload
            self.requestIDField = field
        }
    }

    /// Every call with nearly every field of its request, in an order in which all of them succeed.
    private static let calls: [Call] = {
        let project = Wire.text(1, "p1")
        let serial = Wire.text(2, "D1")
        let time = Wire.number(1, 1_700_000_000) + Wire.number(2, 123_456_000)
        let cohort = Wire.text(2, "Beta") + Wire.text(3, "beta")
        let device =
            Wire.text(4, "D1") + Wire.text(5, "ada") + Wire.text(6, "h1") + Wire.field(9, Wire.text(3, "beta"))
        func attributes(_ number: UInt8) -> [UInt8] {
            let values: [(key: String, value: [UInt8])] = [
                ("note", Wire.text(1, "né")), ("count", Wire.number(2, 7)), ("on", Wire.number(4, 1)),
                ("ratio", [3 << 3 | 1, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]),
            ]
            return values.flatMap {
                Wire.field(number, Wire.text(1, $0.key) + Wire.field(2, $0.value) + Wire.field(3, time))
            }
        }
        let filter =
            Wire.text(2, "1.2.3") + Wire.text(2, "1.2.4") + Wire.text(3, "ada") + Wire.text(4, "h1")
            + Wire.text(5, "beta") + Wire.text(6, "D1") + Wire.field(7, Wire.number(1, 1_600_000_000))
            + Wire.field(8, Wire.number(1, 1_800_000_000)) + Wire.number(9, 3)
            + Wire.field(10, Wire.number(1, 3_600))
        let expression = "(attributes.count >= 7 OR last_seen > 2023-01-01T00:00:00Z) AND -owner_ref = \"b*\" release:*"
        let groups = Wire.text(12, "activity") + Wire.text(12, "attributes.note") + Wire.number(13, 3)
        let page = Wire.text(11, "-last_seen,id") + Wire.number(12, 3) + Wire.number(14, 1) + Wire.number(15, 1)
        let mask = Wire.field(3, Wire.text(1, "owner_ref") + Wire.text(1, "cohort"))
        let release = Wire.text(2, "1.2.3") + Wire.text(3, "11d95ef2")
        return [
            Call("Projects/CreateProject", Wire.field(1, Wire.text(2, "p1") + Wire.text(3, "One")), requestID: 3),
            Call("Projects/GetProject", project),
            Call("Projects/ListProjects", Wire.number(1, 3) + Wire.number(3, 1) + Wire.number(4, 1)),
            Call("Projects/CreateCohort", project + Wire.field(2, cohort), requestID: 4),
            Call("Projects/GetCohort", project + Wire.text(2, "beta")),
            Call("Projects/ListCohorts", project + Wire.number(2, 3) + Wire.number(4, 1) + Wire.number(5, 1)),
            Call(
                "Projects/UpdateCohort", project + Wire.field(2, cohort) + Wire.field(3, Wire.text(1, "name")),
                requestID: 5),
            Call("Devices/CreateDevice", project + Wire.field(2, device), requestID: 4),
            Call("Devices/GetDevice", project + serial + Wire.number(3, 2)),
            Call("Devices/UpdateDevice", project + Wire.field(2, device) + mask + Wire.number(4, 1), requestID: 6),
            Call(
                "Devices/UpdateDeviceAttributes", project + serial + attributes(3) + Wire.number(4, 1), requestID: 6),
            Call("Devices/GetDeviceAttributes", project + serial + Wire.text(3, "*o*")),
            Call(
                "Devices/CheckIn",
                project + serial + Wire.field(3, time) + Wire.field(4, release) + Wire.text(5, "h1") + attributes(6)
                    + Wire.number(7, 1)),
            // Its last fields are `view`, FULL, `filter` and `explain`; a number of 16 or more takes two bytes.
            Call(
                "Devices/ListDevices",
                project + filter + page + [0x80, 0x01, 0x02, 0x8A, 0x01, UInt8(expression.utf8.count)]
                    + Array(expression.utf8) + [0x90, 0x01, 0x01]),
            Call(
                "Devices/CountDevices",
                project + filter + Wire.text(11, expression) + groups + Wire.number(14, 1)),
            Call("Projects/ListReleases", project + Wire.number(2, 3) + Wire.number(4, 1) + Wire.number(5, 1)),
            Call("Projects/ListHardwareVersions", project + Wire.number(2, 3) + Wire.number(5, 1)),
            Call("Projects/ListAttributeKeys", project + Wire.number(2, 3) + Wire.number(5, 1)),
            Call("Devices/DeleteDevice", project + serial + Wire.number(4, 1), requestID: 5),
            Call("Projects/DeleteCohort", project + Wire.text(2, "beta") + Wire.number(3, 1), requestID: 4),
            Call("Projects/DeleteProject", project + Wire.number(2, 1), requestID: 3),
            Call("Server/GetServerInfo", []),
        ]
    }()

    /// One of the calls; mutations now and then with an id, mostly their own.
    private static func anyCall(using generator: inout SeededGenerator) -> Call {
        var call = Self.calls[Int.random(in: 0..<Self.calls.count, using: &generator)]
        if let field = call.requestIDField, Bool.random(using: &generator) {
            let end = Int.random(in: 100_000_000_000...100_000_099_999, using: &generator)
            call.payload += Wire.text(field, "0b4a9c1e-5d2f-4c7b-9a58-\(end)")
        }
        return call
    }

    /// A minute's time, and metadata.
    private static let envelopeEnd =
        Wire.number(4, 60_000_000_000) + Wire.field(5, Wire.text(1, "trace") + Wire.text(2, "0af76519"))

    private static func frame(_ call: Call, stream: UInt32) -> WireFrame {
        WireFrame(id: stream, type: 1, data: call.names + Wire.field(3, call.payload) + Self.envelopeEnd)
    }

    /// A call whose request, or whose envelope now and then, is mutated behind a header that is right.
    private static func mutated(stream: UInt32, using generator: inout SeededGenerator) -> WireFrame {
        var call = Self.anyCall(using: &generator)
        if call.payload.isEmpty || Int.random(in: 0..<5, using: &generator) == 0 {
            var frame = Self.frame(call, stream: stream)
            Self.mutate(&frame.data, 0..<frame.data.count, using: &generator)
            return frame
        }
        Self.mutate(&call.payload, 0..<call.payload.count, using: &generator)
        return Self.frame(call, stream: stream)
    }

    /// Flips, sets, swaps, repeats or removes a few bytes in `range`.
    private static func mutate(_ bytes: inout [UInt8], _ range: Range<Int>, using generator: inout SeededGenerator) {
        var range = range
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !range.isEmpty {
            let index = Int.random(in: range, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
            case 3: bytes.swapAt(index, Int.random(in: range, using: &generator))
            case 4:
                bytes.insert(bytes[index], at: index)
                range = range.lowerBound..<(range.upperBound + 1)
            default:
                bytes.remove(at: index)
                range = range.lowerBound..<(range.upperBound - 1)
            }
        }
    }

    @Test func everyCallThatIsMutatedSucceedsAsItStands() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let connection = try WireConnection(daemon)
            for (index, call) in Self.calls.enumerated() {
                let frame = Self.frame(call, stream: UInt32(2 * index + 1))
                await connection.send(frame)
                try await connection.expectReply(frame.id)
            }
        }
    }

    @Test func mutatedFramesNeitherEndTheDaemonNorMakeItGrow() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let client = try await RollcallClient.connect(address: daemon.socketPath, project: "p1")
            // A device that no call names keeps project and cohort in place.
            _ = try await client.createProject("p1")
            _ = try await client.createCohort("beta")
            _ = try await client.createDevice("stays", ownerRef: "ada", hardwareVersion: "h1", cohort: "beta")
            var takenCount = 0
            var warmByteCount: Int?
            while takenCount < Self.mutationCount {
                takenCount += try await Self.sendCalls(to: daemon, seed, using: &generator)
                for _ in 0..<Self.badHeadersPerConnection {
                    try await Self.sendBadHeader(to: daemon, seed, using: &generator)
                    takenCount += 1
                }
                if warmByteCount == nil, takenCount >= Self.mutationCount / 5 {
                    warmByteCount = try daemon.child.residentByteCount()
                }
            }
            let growth = try daemon.child.residentByteCount() - (warmByteCount ?? 0)
            #expect(growth < Self.growthByteCountMax, "seed \(seed)")
            #expect(try await client.getDevice("stays").deviceSerial == "stays", "seed \(seed)")
            await client.close()
            #expect(await daemon.stop() == .exit(0), "seed \(seed): \(daemon.child.standardError)")
        }
    }

    /// Sends mutated calls over one connection, each of which must be answered.
    ///
    /// - Returns: how many were.
    private static func sendCalls(
        to daemon: DaemonProcess, _ seed: UInt64, using generator: inout SeededGenerator
    ) async throws -> Int {
        let connection = try #require(RawConnection(daemon.socketPath), "seed \(seed)")
        defer { connection.close() }
        var bytes: [UInt8] = []
        for index in 0..<Self.framesPerConnection {
            bytes += Self.mutated(stream: UInt32(2 * index + 1), using: &generator).bytes
        }
        #expect(await connection.send(bytes), "seed \(seed)")
        var answers = AnswerCount()
        while answers.count < Self.framesPerConnection {
            guard let more = await connection.receive(), !more.isEmpty else { break }
            answers.add(more)
        }
        try #require(answers.count == Self.framesPerConnection, "seed \(seed): a call was not answered")
        return answers.count
    }

    /// Sends one call with a mutated header over a connection of its own, which the daemon must end by itself once no
    /// more comes.
    private static func sendBadHeader(
        to daemon: DaemonProcess, _ seed: UInt64, using generator: inout SeededGenerator
    ) async throws {
        let connection = try #require(RawConnection(daemon.socketPath), "seed \(seed)")
        defer { connection.close() }
        var bytes = Self.frame(Self.anyCall(using: &generator), stream: 1).bytes
        Self.mutate(&bytes, 0..<WireFrame.headerByteCount, using: &generator)
        await connection.send(bytes)
        connection.finishSending()
        var isOver = false
        while !isOver, let answer = await connection.receive() {
            isOver = answer.isEmpty
        }
        try #require(isOver, "seed \(seed): the connection stays open")
    }
}

/// Counts whole frames in bytes as they come.
private struct AnswerCount {
    private(set) var count = 0
    private var header: [UInt8] = []
    private var missingByteCount = 0

    mutating func add(_ bytes: [UInt8]) {
        var index = 0
        while index < bytes.count {
            if self.missingByteCount == 0 {
                self.header.append(bytes[index])
                index += 1
                guard self.header.count == WireFrame.headerByteCount else { continue }
                self.missingByteCount = self.header[0..<4].reduce(0) { $0 << 8 | Int($1) }
                self.header = []
            } else {
                let count = min(self.missingByteCount, bytes.count - index)
                self.missingByteCount -= count
                index += count
            }
            // An answer is never empty: it holds a status, or a message.
            if self.missingByteCount == 0 {
                self.count += 1
            }
        }
    }
}
