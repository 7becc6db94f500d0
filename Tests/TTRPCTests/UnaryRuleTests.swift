// The rules of ttrpc for calls with one reply, one test each.

import NIOCore
import NIOEmbedded
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

@Suite(.timeLimit(.minutes(1))) struct UnaryRuleTests {
    @Test func unaryCallIsAnsweredWithStatusAndPayload() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Echo", "hi"))
            #expect(try await connection.receive() == .reply(1, "hi"))
        }
    }

    @Test func requestBytesAreThoseOfTheWire() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                bytes: [0, 0, 0, 24, 0, 0, 0, 1, 1, 0]  // 24 bytes, stream 1, Request, no flags
                    + [0x0a, 12] + Array("test.v1.Echo".utf8)  // service
                    + [0x12, 4] + Array("Echo".utf8)  // method
                    + [0x1a, 2] + Array("hi".utf8)  // payload
            )
            var write = try await connection.receiveWrite()
            #expect(
                write.readBytes(length: write.readableBytes)
                    == [0, 0, 0, 6, 0, 0, 0, 1, 2, 0]  // 6 bytes, stream 1, Response, no flags
                    + [0x0a, 0, 0x12, 2] + Array("hi".utf8)  // empty status, payload
            )
        }
    }

    @Test func okReplyWithAnEmptyMessageStillCarriesAnEmptyStatus() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Echo"))
            #expect(try await connection.receive().data == [0x0a, 0x00])
        }
    }

    @Test func framesOfOneReadAreAnsweredInOneWrite() async throws {
        try await TestConnection.serve { connection in
            let ids: [UInt32] = [1, 3, 5, 7]
            try await connection.send(bytes: ids.flatMap { RawFrame.request($0, "Echo", "\($0)").bytes })
            var write = try await connection.receiveWrite()
            for id in ids {
                #expect(RawFrame.read(from: &write) == .reply(id, "\(id)"))
            }
            #expect(write.readableBytes == 0)
        }
    }

    @Test func requestCutAnywhereIsAnswered() async throws {
        try await TestConnection.serve { connection in
            let bytes = RawFrame.request(1, "Echo", "hi").bytes
            for cut in 0...bytes.count {
                try await connection.send(bytes: Array(bytes[..<cut]))
                try await connection.send(bytes: Array(bytes[cut...]))
                #expect(try await connection.receive() == .reply(1, "hi"))
            }
        }
    }

    @Test func failedCallIsAnsweredWithItsStatusAndNothingOfItsReply() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Fail"))
            #expect(try await connection.receive().status == EchoService.notFound)
        }
    }

    @Test(arguments: [UInt8(0x01), 0x02, 0x06, 0xf8]) func kindComesFromTheMethodAndNotFromTheFlags(
        flags: UInt8
    ) async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Echo", "hi", flags: flags))
            #expect(try await connection.receive() == .reply(1, "hi"))
        }
    }

    @Test func evenStreamIDIsRefused() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(2, "Echo"))
            try await connection.expectError(2, .invalidArgument, "MESSAGE_MALFORMED")
            try await connection.send(.request(4, "Bidi", flags: RawFrame.remoteOpen))
            try await connection.expectError(4, .invalidArgument, "MESSAGE_MALFORMED")
            try await connection.expectAlive()
        }
    }

    @Test func activeStreamIDIsRefusedAndItsCallGoesOn() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            for method in ["Hold", "Echo", "Nothing", "Bidi"] {
                try await connection.send(.request(1, method))
                if method != "Hold" {
                    try await connection.expectError(1, .invalidArgument, "MESSAGE_MALFORMED")
                }
            }
            held.succeed("held")
            #expect(try await connection.receive() == .reply(1, "held"))
        }
    }

    @Test func adaptiveCallIsAnsweredNowOrLater() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Adapt", "later"), .request(3, "Adapt", "now"))
            #expect(try await connection.receive() == .reply(3, "now"))
            try await connection.send(.request(5, "Adapt", "fail"), .request(1, "Echo"))
            #expect(try await connection.receive().status == EchoService.notFound)
            try await connection.expectError(1, .invalidArgument, "MESSAGE_MALFORMED")
            held.succeed("at last")
            #expect(try await connection.receive() == .reply(1, "at last"))
        }
    }

    @Test func adaptiveCallThatWasPutOffEndsAtItsDeadline() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Adapt", "later", timeoutNanoseconds: 1_000_000_000))
            await connection.channel.testingEventLoop.advanceTime(by: .seconds(1))
            try await connection.expectError(1, .deadlineExceeded, "DEADLINE_EXCEEDED")
            let sinks = held.take()
            #expect(sinks.count == 1 && sinks.allSatisfy(\.claim.isAbandoned))
        }
    }

    @Test func streamIDsComeInAnyOrderAndAgain() async throws {
        try await TestConnection.serve { connection in
            for id in [UInt32(9), 3, 0xffff_ffff, 1, 3, 9] {
                try await connection.send(.request(id, "Echo"))
                #expect(try await connection.receive() == .reply(id))
            }
        }
    }

    @Test func dataForARecentlyFinishedStreamIsDropped() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Echo"), .data(1, "late"), .halfClose(1))
            #expect(try await connection.receive() == .reply(1))
            try await connection.expectAlive()
        }
    }

    @Test func dataOnAnUnknownStreamIsRefused() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.data(7, "stray"))
            try await connection.expectError(7, .invalidArgument, "MESSAGE_MALFORMED")
            try await connection.expectAlive()
        }
    }

    @Test func streamsAreForgottenAfter1024Others() async throws {
        try await TestConnection.serve { connection in
            let others = (1...1_024).map { UInt32($0 * 2 + 1) }
            try await connection.send(bytes: ([1] + others).flatMap { RawFrame.request($0, "Echo").bytes })
            for id in [1] + others {
                #expect(try await connection.receive() == .reply(id))
            }
            try await connection.send(.data(3, "late"), .data(1, "too late"))
            try await connection.expectError(1, .invalidArgument, "MESSAGE_MALFORMED")
        }
    }

    @Test func dataOnAnActiveUnaryCallEndsItAndDropsItsReply() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Hold"), .data(1, "more"))
            try await connection.expectError(1, .invalidArgument, "MESSAGE_MALFORMED")
            // The id is free for another call, which the late reply of the first must not answer.
            let first = held.take()
            try await connection.send(.request(1, "Hold"))
            #expect(first.first?.claim.take() == false)
            for sink in first {
                sink.fail(.draining)
            }
            held.succeed("second")
            #expect(try await connection.receive() == .reply(1, "second"))
        }
    }

    @Test func unknownFrameTypeAndResponseFromAClientAreIgnored() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                RawFrame(id: 1, type: 2, flags: 0, data: [0x0a, 0]), RawFrame(id: 1, type: 0, flags: 0, data: []),
                RawFrame(id: 2, type: 200, flags: 0xff, data: [1, 2, 3])
            )
            try await connection.expectAlive()
        }
    }

    @Test func oversizeRequestIsAnsweredAndConnectionSurvives() async throws {
        var limits = TestConnection.limits
        limits.messageByteCountMax = 1_000
        try await TestConnection.serve(limits: limits) { connection in
            var frame = RawFrame.request(1, "Echo", String(repeating: "x", count: 2_000))
            try await connection.send(frame)
            try await connection.expectError(1, .resourceExhausted, "LIMIT_EXCEEDED")
            frame.id = 3
            for byte in frame.bytes {
                try await connection.send(bytes: [byte])
            }
            try await connection.expectError(3, .resourceExhausted, "LIMIT_EXCEEDED")
            frame.type = 9
            try await connection.send(frame)
            try await connection.expectAlive()
        }
    }

    @Test func lengthOfSixteenMegabytesIsSkippedWithoutBeingStored() async throws {
        try await TestConnection.serve { connection in
            // The longest length whose first byte is zero, announced but sent in pieces.
            try await connection.send(bytes: [0, 0xff, 0xff, 0xff, 0, 0, 0, 1, 1, 0])
            try await connection.expectError(1, .resourceExhausted, "LIMIT_EXCEEDED")
            for _ in 0..<255 {
                try await connection.send(bytes: [UInt8](repeating: 0x50, count: 65_793))
            }
            try await connection.expectAlive()
        }
    }

    @Test func firstByteThatIsNotZeroClosesAfterWhatIsOwed() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(bytes: RawFrame.request(1, "Echo").bytes + Array("PRI * HTTP/2.0".utf8))
            #expect(try await connection.receive() == .reply(1))
            try await connection.expectClosed()
        }
    }

    @Test func replyOverTheLimitIsAnErrorAndNotAClosedConnection() async throws {
        try await TestConnection.serve { connection in
            // 4 MiB of data: `0a 00 12` and a length of four bytes stand before the payload.
            try await connection.send(
                .request(1, "Zeros", "\((4 << 20) - 7)"), .request(3, "Zeros", "\((4 << 20) - 6)"))
            #expect(try await connection.receive().data.count == 4 << 20)
            try await connection.expectError(3, .resourceExhausted, "LIMIT_EXCEEDED")
            try await connection.expectAlive()
        }
    }

    @Test func undecodableRequestIsRefused() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(RawFrame(id: 1, type: 1, flags: 0, data: [0x0a, 0x7f]))
            try await connection.expectError(1, .invalidArgument, "MESSAGE_MALFORMED")
            // A service name that is not UTF-8.
            try await connection.send(RawFrame(id: 3, type: 1, flags: 0, data: [0x0a, 0x01, 0xff]))
            try await connection.expectError(3, .invalidArgument, "MESSAGE_MALFORMED")
            try await connection.expectAlive()
        }
    }

    @Test func unknownServiceOrMethodIsUnimplementedAndNamed() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Nothing"), .request(3, "Echo", service: "test.v1.Other"))
            let method = try await connection.receive().status
            #expect(method.code == .unimplemented && method.reason == "METHOD_UNKNOWN")
            #expect(method.message.contains("Nothing") && method.message.contains("test.v1.Echo"))
            let service = try await connection.receive().status
            #expect(service.code == .unimplemented && service.message.contains("test.v1.Other"))
        }
    }

    @Test func dataAfterAnUnknownMethodIsDropped() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Nothing", flags: RawFrame.remoteOpen), .data(1, "more"))
            try await connection.expectError(1, .unimplemented, "METHOD_UNKNOWN")
            try await connection.expectAlive()
        }
    }

    @Test func metadataKeysAreLowerCasedAndMayRepeat() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Metadata", metadata: [("Trace-ID", "a"), ("trace-id", "B"), ("x", "")]),
                .request(3, "Metadata")
            )
            #expect(try await connection.receive() == .reply(1, "trace-id=a,trace-id=B,x="))
            #expect(try await connection.receive() == .reply(3))
        }
    }

    @Test(arguments: ["Echo", "Hold", "Server", "Bidi"])
    func negativeTimeoutIsOverAtOnce(method: String) async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, method, timeoutNanoseconds: -1))
            try await connection.expectError(1, .deadlineExceeded, "DEADLINE_EXCEEDED")
        }
    }

    @Test func timeoutBeyondAllTimeIsNone() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Echo", "hi", timeoutNanoseconds: .max))
            #expect(try await connection.receive() == .reply(1, "hi"))
        }
    }

    @Test func deferredCallEndsAtItsDeadlineAndItsLateReplyIsDropped() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Hold", timeoutNanoseconds: 1_000_000_000))
            await connection.channel.testingEventLoop.advanceTime(by: .milliseconds(999))
            try await connection.expectAlive()
            await connection.channel.testingEventLoop.advanceTime(by: .milliseconds(1))
            try await connection.expectError(1, .deadlineExceeded, "DEADLINE_EXCEEDED")
            for sink in held.take() {
                #expect(!sink.claim.take())
                sink.fail(.draining)
            }
            try await connection.expectAlive()
        }
    }

    @Test func deferredCallIsAnsweredBeforeItsDeadlineOnly() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Hold", timeoutNanoseconds: 1_000_000_000))
            held.succeed("in time")
            #expect(try await connection.receive() == .reply(1, "in time"))
            await connection.channel.testingEventLoop.advanceTime(by: .seconds(2))
            try await connection.expectAlive()
        }
    }

    @Test func deferredRepliesOfOneBatchAreOneWrite() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Hold"), .request(3, "Hold"), .request(5, "Hold"))
            // On the loop, so that none of the replies is seen before the last has come.
            try await connection.channel.testingEventLoop.executeInContext { held.succeed("held") }
            var write = try await connection.receiveWrite()
            for id in [UInt32(1), 3, 5] {
                #expect(RawFrame.read(from: &write) == .reply(id, "held"))
            }
        }
    }

    @Test func callsOverTheLimitAreRefused() async throws {
        var limits = TestConnection.limits
        limits.callCountMax = 2
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held), limits: limits) { connection in
            try await connection.send(
                .request(1, "Hold"), .request(3, "Hold"), .request(5, "Hold"), .request(7, "Echo"))
            try await connection.expectError(5, .resourceExhausted, "LIMIT_EXCEEDED")
            try await connection.expectError(7, .resourceExhausted, "LIMIT_EXCEEDED")
            held.succeed("held")
            #expect(try await connection.receive() == .reply(1, "held"))
            #expect(try await connection.receive() == .reply(3, "held"))
            try await connection.expectAlive()
        }
    }

    @Test func closedConnectionGivesUpItsCalls() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Hold"))
            try await connection.channel.close()
            for sink in held.take() {
                #expect(!sink.claim.take())
                sink.fail(.draining)
            }
        }
    }
}
