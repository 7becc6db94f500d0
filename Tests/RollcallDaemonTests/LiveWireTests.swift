import Foundation
import RollcallTesting
import Testing

/// The rules of ttrpc at the real daemon, as far as its unary methods show them: one test each.
@Suite(.sharedDaemon, .timeLimit(.minutes(1))) struct LiveWireTests {
    private static let invalidArgument: UInt8 = 3
    private static let deadlineExceeded: UInt8 = 4
    private static let notFound: UInt8 = 5
    private static let resourceExhausted: UInt8 = 8
    private static let unimplemented: UInt8 = 12
    private static let messageByteCountMax = 4 << 20

    private let wire: WireConnection

    init() throws {
        self.wire = try WireConnection(SharedDaemon.daemon())
    }

    private static func serial() -> String {
        "W-\(UUID().uuidString)"
    }

    // MARK: Requests and replies

    @Test func everyMethodAnswersARequestOfBytesByHand() async throws {
        let (slug, serial) = (UUID().uuidString, Self.serial())
        let project = Wire.text(1, slug)
        let attribute = Wire.text(1, "battery") + Wire.field(2, Wire.number(2, 80))
        let device = Wire.text(4, serial) + Wire.text(5, "ada") + Wire.text(6, "h1")
        let cohort = Wire.text(2, "Beta") + Wire.text(3, "beta")
        let named = project + Wire.text(2, serial)
        let calls: [(String, [UInt8])] = [
            ("Projects/CreateProject", Wire.field(1, Wire.text(2, slug))),
            ("Projects/GetProject", project),
            ("Projects/ListProjects", Wire.number(1, 5)),
            ("Projects/CreateCohort", project + Wire.field(2, cohort)),
            ("Projects/GetCohort", project + Wire.text(2, "beta")),
            ("Projects/ListCohorts", project),
            ("Projects/UpdateCohort", project + Wire.field(2, cohort) + Wire.field(3, Wire.text(1, "name"))),
            ("Devices/CreateDevice", project + Wire.field(2, device)),
            ("Devices/GetDevice", named + Wire.number(3, 2)),
            ("Devices/ListDevices", project + Wire.text(3, "ada") + Wire.text(11, "-last_seen")),
            ("Devices/UpdateDevice", project + Wire.field(2, device) + Wire.field(3, Wire.text(1, "*"))),
            ("Devices/UpdateDeviceAttributes", named + Wire.field(3, attribute)),
            ("Devices/GetDeviceAttributes", named + Wire.text(3, "bat*")),
            ("Devices/CheckIn", named + Wire.field(4, Wire.text(2, "1.2.3"))),
            ("Devices/CountDevices", project + Wire.text(11, "owner_ref = ada") + Wire.text(12, "cohort")),
            ("Projects/ListReleases", project),
            ("Projects/ListHardwareVersions", project),
            ("Projects/ListAttributeKeys", project),
            ("Devices/DeleteDevice", named),
            ("Projects/DeleteCohort", project + Wire.text(2, "beta")),
            ("Projects/DeleteProject", project),
            ("Server/GetServerInfo", []),
        ]
        for (index, (method, request)) in calls.enumerated() {
            await self.wire.send(.request(UInt32(2 * index + 1), method, request))
            let reply = try await self.wire.expectReply(UInt32(2 * index + 1))
            #expect(reply.isEmpty == method.contains("/Delete"), "\(method)")
        }
    }

    @Test func okReplyWithAnEmptyMessageStillCarriesAnEmptyStatus() async throws {
        // DeleteDevice with allow_missing
        await self.wire.send(.request(1, "Devices/DeleteDevice", Wire.text(2, Self.serial()) + Wire.number(4, 1)))
        #expect(try await self.wire.receive() == WireFrame(id: 1, type: 2, data: [0x0A, 0x00]))
    }

    @Test(arguments: [0x00, 0x01, 0x02, 0x06, 0xF8] as [UInt8])
    func kindComesFromTheMethodAndNotFromTheFlags(flags: UInt8) async throws {
        await self.wire.send(.request(1, "Devices/CreateDevice", Wire.device(Self.serial()), flags: flags))
        #expect(try await !self.wire.expectReply(1).isEmpty)
        try await self.wire.expectAlive()
    }

    @Test func requestPayloadIsTheMessageEvenIfItIsEmpty() async throws {
        await self.wire.send(.request(1, "Projects/ListProjects"), .request(3, "Devices/GetDevice"))
        #expect(try await !self.wire.expectReply(1).isEmpty)
        try await self.wire.expectRefusal(3, Self.invalidArgument, "FIELD_INVALID")
    }

    @Test func metadataIsNotRequiredAndMayRepeat() async throws {
        await self.wire.send(
            .request(1, "Server/GetServerInfo"),
            .request(3, "Server/GetServerInfo", metadata: [("Trace-ID", "a"), ("trace-id", "b"), ("", "")])
        )
        try await self.wire.expectReply(1)
        try await self.wire.expectReply(3)
    }

    @Test func requestCutAnywhereIsAnswered() async throws {
        let bytes = WireFrame.request(1, "Server/GetServerInfo").bytes
        for byte in bytes {
            await self.wire.send(bytes: [byte])
        }
        try await self.wire.expectReply(1)
    }

    // MARK: Streams

    @Test func evenStreamIDIsRefusedOnThatID() async throws {
        await self.wire.send(.request(2, "Server/GetServerInfo"), .request(0, "Devices/CreateDevice"))
        try await self.wire.expectRefusal(2, Self.invalidArgument, "MESSAGE_MALFORMED")
        try await self.wire.expectRefusal(0, Self.invalidArgument, "MESSAGE_MALFORMED")
        try await self.wire.expectAlive()
    }

    /// Frames that are sent at once are read before the writer's answer to the first of them.
    @Test func activeStreamIDIsRefusedAndItsCallGoesOn() async throws {
        await self.wire.send(
            .request(1, "Devices/CreateDevice", Wire.device(Self.serial())), .request(1, "Server/GetServerInfo")
        )
        try await self.wire.expectRefusal(1, Self.invalidArgument, "MESSAGE_MALFORMED")
        try await self.wire.expectReply(1)
    }

    @Test func streamIDsComeInAnyOrderAndAgain() async throws {
        for id in [9, 3, 0xFFFF_FFFF, 1, 3, 9] as [UInt32] {
            await self.wire.send(.request(id, "Server/GetServerInfo"))
            try await self.wire.expectReply(id)
        }
    }

    @Test func dataForARecentlyFinishedStreamIsDropped() async throws {
        await self.wire.send(.request(1, "Server/GetServerInfo"), .data(1, "late"), .data(1, flags: 0x05))
        try await self.wire.expectReply(1)
        try await self.wire.expectAlive()
    }

    @Test func recentlyFinishedMeansTheLast1024Streams() async throws {
        let ids = (0...1_024).map { UInt32(2 * $0 + 1) }
        await self.wire.send(bytes: ids.flatMap { WireFrame.request($0, "Nothing/At-all").bytes })
        for id in ids {
            try await self.wire.expectRefusal(id, Self.unimplemented, "METHOD_UNKNOWN")
        }
        await self.wire.send(.data(3, "late"), .data(1, "too late"))
        try await self.wire.expectRefusal(1, Self.invalidArgument, "MESSAGE_MALFORMED")
    }

    @Test func dataOnAnUnknownStreamIsInvalidArgument() async throws {
        await self.wire.send(.data(7, "stray"))
        try await self.wire.expectRefusal(7, Self.invalidArgument, "MESSAGE_MALFORMED")
        try await self.wire.expectAlive()
    }

    @Test func dataOnAnActiveUnaryCallEndsItAndDropsItsReply() async throws {
        let serial = Self.serial()
        await self.wire.send(.request(1, "Devices/CreateDevice", Wire.device(serial)), .data(1, "more"))
        try await self.wire.expectRefusal(1, Self.invalidArgument, "MESSAGE_MALFORMED")
        // The late reply would come before this one: the writer keeps to its order.
        await self.wire.send(.request(3, "Devices/CreateDevice", Wire.device(Self.serial())))
        try await self.wire.expectReply(3)
        try await self.wire.expectAlive()
    }

    @Test func unknownFrameTypeAndResponseFromAClientAreIgnored() async throws {
        await self.wire.send(
            WireFrame(id: 1, type: 2, data: [0x0A, 0x00]), WireFrame(id: 1, type: 0, data: []),
            WireFrame(id: 2, type: 200, flags: 0xFF, data: [1, 2, 3])
        )
        try await self.wire.expectAlive()
    }

    // MARK: Lengths

    @Test func messageOfFourMebibytesIsTakenAndALongerOneIsDiscardedAndAnswered() async throws {
        let name = Wire.text(2, Self.serial())
        let envelope = WireFrame.request(1, "Devices/GetDevice", name)
        // An unknown field of the message fills it up; its tag, and two lengths that grow by three bytes each.
        let filler = [UInt8](repeating: 0, count: Self.messageByteCountMax - envelope.data.count - 8)
        let longest = WireFrame.request(1, "Devices/GetDevice", name + Wire.field(15, filler))
        #expect(longest.data.count == Self.messageByteCountMax)
        let longer = WireFrame.request(3, "Devices/GetDevice", name + Wire.field(15, filler + [0]))
        await self.wire.send(longest, longer)
        try await self.wire.expectRefusal(1, Self.notFound, "DEVICE_NOT_FOUND")
        try await self.wire.expectRefusal(3, Self.resourceExhausted, "LIMIT_EXCEEDED")
        try await self.wire.expectAlive()
    }

    @Test func lengthWhoseFirstByteIsNotZeroClosesTheConnection() async throws {
        await self.wire.send(bytes: WireFrame.request(1, "Server/GetServerInfo").bytes + Array("PRI * HTTP/2.0".utf8))
        try await self.wire.expectReply(1)
        #expect(try await self.wire.receive() == nil)
    }

    @Test func messageOfTooManyValuesIsALimit() async throws {
        // A mebi of empty values of the field `release`.
        let payload = Array(String(repeating: "\u{12}\0", count: 1 << 20).utf8)
        await self.wire.send(.request(1, "Devices/ListDevices", payload))
        try await self.wire.expectRefusal(1, Self.resourceExhausted, "LIMIT_EXCEEDED")
        try await self.wire.expectAlive()
    }

    /// Each reply takes a mebibyte, and eight of them may wait.
    @Test func readerThatIsBehindCostsItsCallsAndNotItsConnection() async throws {
        let serial = Self.serial()
        await self.wire.send(.request(1, "Devices/CreateDevice", Wire.device(serial)))
        try await self.wire.expectReply(1)
        let value = Wire.field(2, Wire.text(1, String(repeating: "x", count: 4_096)))
        let attributes = (0..<256).flatMap { Wire.field(3, Wire.text(1, "key \($0)") + value) }
        await self.wire.send(.request(3, "Devices/UpdateDeviceAttributes", Wire.text(2, serial) + attributes))
        #expect(try await self.wire.expectReply(3).count > 1 << 20)
        let ids = (10..<30).map { UInt32(2 * $0 + 1) }
        await self.wire.send(
            bytes: ids.flatMap { WireFrame.request($0, "Devices/GetDeviceAttributes", Wire.text(2, serial)).bytes }
        )
        var replyCount = 0
        for id in ids {
            let frame = try #require(await self.wire.receive())
            #expect(frame.id == id)
            if frame.data.starts(with: [0x0A, 0x00]) {
                replyCount += 1
            } else {
                #expect(try WireStatus(frame).reason == "LIMIT_EXCEEDED")
            }
        }
        #expect((1...8).contains(replyCount), "\(replyCount)")
        try await self.wire.expectAlive()
    }

    // MARK: Refusals

    @Test func undecodableRequestIsInvalidArgument() async throws {
        await self.wire.send(
            WireFrame(id: 1, type: 1, data: [0x0A, 0x7F]), WireFrame(id: 3, type: 1, data: [0x0A, 0x01, 0xFF]),
            .request(5, "Devices/GetDevice", [0x0A])
        )
        for id in [1, 3, 5] as [UInt32] {
            try await self.wire.expectRefusal(id, Self.invalidArgument, "MESSAGE_MALFORMED")
        }
        try await self.wire.expectAlive()
    }

    @Test(arguments: ["Devices/WatchTheDevices", "Nobody/GetDevice", "Devices/getDevice"])
    func unknownServiceOrMethodIsUnimplementedNamingIt(method: String) async throws {
        await self.wire.send(.request(1, method), .data(1, "dropped"))
        let status = try await self.wire.expectRefusal(1, Self.unimplemented, "METHOD_UNKNOWN")
        for name in method.split(separator: "/") {
            #expect(status.message.contains(name))
        }
        try await self.wire.expectAlive()
    }

    @Test func negativeTimeoutIsDeadlineExceededAtOnceAndNothingIsDone() async throws {
        let serial = Self.serial()
        await self.wire.send(
            .request(1, "Devices/CreateDevice", Wire.device(serial), timeoutNanoseconds: -1),
            .request(3, "Devices/GetDevice", Wire.text(2, serial), timeoutNanoseconds: .min),
            .request(5, "Devices/GetDevice", Wire.text(2, serial), timeoutNanoseconds: .max)
        )
        try await self.wire.expectRefusal(1, Self.deadlineExceeded, "DEADLINE_EXCEEDED")
        try await self.wire.expectRefusal(3, Self.deadlineExceeded, "DEADLINE_EXCEEDED")
        try await self.wire.expectRefusal(5, Self.notFound, "DEVICE_NOT_FOUND")
    }

    // MARK: The end

    @Test func halfClosedSocketHasItsCallsAnsweredAndIsThenClosed() async throws {
        await self.wire.send(
            .request(1, "Devices/CreateDevice", Wire.device(Self.serial())), .request(3, "Server/GetServerInfo")
        )
        await self.wire.finishSending()
        let first = try #require(await self.wire.receive())
        let second = try #require(await self.wire.receive())
        #expect(Set([first.id, second.id]) == [1, 3])
        #expect([first, second].allSatisfy { $0.data.starts(with: [0x0A, 0x00]) })
        #expect(try await self.wire.receive() == nil)
    }
}
