// Streams of check-ins: acknowledged in order, whatever becomes of each.

import CRollcallProto
import DeviceModel
import DeviceRegistry
import DeviceWire
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import StatusWire
import Synchronization
import Testing

@Suite struct CheckInStreamTests {
    /// An acknowledgement, as far as these tests look at it.
    private struct Acknowledgement: Hashable, Sendable {
        var position: Int64
        /// The device's serial, or the reason of the refusal.
        var outcome: String

        init(position: Int64, outcome: String) {
            (self.position, self.outcome) = (position, outcome)
        }

        init(_ message: ByteBuffer) throws {
            self = try message.withUnsafeReadableBytes { bytes in
                let arena = Arena.current
                return try arena.decode(Messages.checkInStreamResponse, from: bytes) { message in
                    let status = message.pointee.status.map { Status($0.pointee, arena) }
                    let device = message.pointee.device.map { $0.pointee.device_serial.string }
                    #expect((status == nil) != (device == nil))
                    return Acknowledgement(
                        position: message.pointee.position, outcome: status?.reason ?? device ?? "nothing")
                }
            }
        }
    }

    /// A queue of messages that counts those that were taken out of it.
    private struct CountedQueue: AsyncSequence, Sendable {
        let queue: MessageQueue
        let takenCount = TakenCount()

        final class TakenCount: Sendable {
            let value = Atomic<Int>(0)
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let queue: CountedQueue

            func next() async throws -> ByteBuffer? {
                let message = try await self.queue.queue.next()
                self.queue.takenCount.value.add(1, ordering: .relaxed)
                return message
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: self) }
    }

    /// A stream in progress, as a transport runs it.
    private final class Stream: Sendable {
        let input = MessageQueue(budget: InputBudget(byteCountMax: 1 << 30, mayResume: {}))
        private let counted: CountedQueue
        private let output: AsyncStream<ByteBuffer>.Continuation
        private let messages: AsyncStream<ByteBuffer>
        private let call: Task<Void, any Error>

        init(_ service: ServiceHarness) throws {
            let run = try service.stream("CheckInStream")
            let context = CallContext(
                peer: .caller(), deadline: .distantFuture, metadata: Metadata())
            let (messages, output) = AsyncStream.makeStream(of: ByteBuffer.self)
            (self.messages, self.output) = (messages, output)
            let input = self.input
            let counted = CountedQueue(queue: input)
            self.counted = counted
            self.call = Task {
                defer { output.finish() }
                try await run(
                    context, RequestMessages(counted) { input.finish($0) },
                    ResponseWriter { part in
                        if case .message(let message) = part { output.yield(message) }
                    })
            }
        }

        func send(_ serial: String, createMissing: Bool = true) {
            let bytes = encoded(Messages.checkInRequest) { request, arena in
                request.device_serial = arena.text(serial)
                request.hardware_version = arena.text("h")
                request.create_missing = createMissing ? 1 : 0
            }
            self.input.append(ByteBuffer(bytes: bytes))
        }

        /// Returns once the method has taken this many messages.
        func hasTaken(_ count: Int) async {
            while self.counted.takenCount.value.load(ordering: .relaxed) < count { await Task.yield() }
        }

        var takenCount: Int { self.counted.takenCount.value.load(ordering: .relaxed) }

        /// The next acknowledgements.
        func next(_ count: Int = .max) async throws -> [Acknowledgement] {
            var acknowledgements: [Acknowledgement] = []
            for await message in self.messages {
                acknowledgements.append(try Acknowledgement(message))
                if acknowledgements.count == count { break }
            }
            return acknowledgements
        }

        func finish() { self.input.finish() }

        func cancel() { self.call.cancel() }

        /// Waits for the end; gives the status that it ended with where that is not OK.
        func end() async throws -> Status? {
            do {
                try await self.call.value
                return nil
            } catch let status as Status {
                return status
            }
        }
    }

    @Test func checkInsAreAcknowledgedInOrderWithBadOnesAmongThem() async throws {
        let service = try ServiceHarness()
        let stream = try Stream(service)
        stream.send("A")
        stream.send("absent", createMissing: false)
        stream.input.append(ByteBuffer(bytes: [0xff, 0xff]))
        stream.send("no serial")
        stream.input.append(ByteBuffer())
        stream.send("B")
        stream.finish()
        let outcomes = ["A", "DEVICE_NOT_FOUND", "MESSAGE_MALFORMED", "FIELD_INVALID", "FIELD_INVALID", "B"]
        #expect(
            try await stream.next()
                == outcomes.enumerated().map { Acknowledgement(position: Int64($0) + 1, outcome: $1) })
        #expect(try await stream.end() == nil)
        #expect(try await service.list().items.map(\.deviceSerial) == ["A", "B"])
    }

    @Test func aStreamWithoutACheckInEndsWell() async throws {
        let stream = try Stream(ServiceHarness())
        stream.finish()
        #expect(try await stream.next().isEmpty)
        #expect(try await stream.end() == nil)
    }

    /// What a group waits for, the next one takes along.
    @Test func manyCheckInsShareACommit() async throws {
        let service = try ServiceHarness()
        service.store.hold()
        let stream = try Stream(service)
        stream.send("A-0")
        await service.store.heldCommit()
        for number in 1..<300 { stream.send("A-\(number)") }
        stream.finish()
        // The last of them, and the end.
        await stream.hasTaken(301)
        service.store.release()
        let acknowledgements = try await stream.next()
        #expect(acknowledgements.map(\.outcome) == (0..<300).map { "A-\($0)" })
        #expect(service.store.committed.count < 10)
    }

    @Test func moreThanMayBeUnderWayAreNotRead() async throws {
        let service = try ServiceHarness { $0.checkInCountMaxPerStream = 3 }
        service.store.hold()
        let stream = try Stream(service)
        for number in 0..<10 { stream.send("A-\(number)") }
        await service.store.heldCommit()
        // Three are under way, and one is in the hands of whoever waits for room.
        await stream.hasTaken(4)
        for _ in 0..<1_000 { await Task.yield() }
        #expect(stream.takenCount == 4)
        service.store.release()
        stream.finish()
        #expect(try await stream.next().map(\.outcome) == (0..<10).map { "A-\($0)" })
        #expect(try await stream.end() == nil)
    }

    @Test func aFullQueueMakesAStreamWaitAndNotFail() async throws {
        let service = try ServiceHarness {
            $0.writeQueueCallCountMax = 4
            $0.groupCallCountMax = 1
        }
        let streams = try (0..<4).map { _ in try Stream(service) }
        for (index, stream) in streams.enumerated() {
            for number in 0..<50 { stream.send("S\(index)-\(number)") }
            stream.finish()
        }
        for (index, stream) in streams.enumerated() {
            #expect(try await stream.next().map(\.outcome) == (0..<50).map { "S\(index)-\($0)" })
        }
    }

    @Test func aStoreThatCannotCommitFailsTheAcknowledgementsAndNotTheStream() async throws {
        let service = try ServiceHarness()
        service.store.fail(.unavailable)
        let stream = try Stream(service)
        stream.send("A")
        #expect(try await stream.next(1).map(\.outcome) == ["STORE_UNAVAILABLE"])
        stream.send("A")
        stream.finish()
        #expect(try await stream.next().map(\.outcome) == ["A"])
    }

    @Test func aDrainAcknowledgesWhatWasReceivedAndThenEndsTheStream() async throws {
        let service = try ServiceHarness()
        service.store.hold()
        let stream = try Stream(service)
        for number in 0..<20 { stream.send("A-\(number)") }
        await service.store.heldCommit()
        service.drain.raise()
        service.store.release()
        #expect(try await stream.next().map(\.outcome) == (0..<20).map { "A-\($0)" })
        #expect(try await stream.end() == .draining)
        stream.send("too late")
        #expect(try await service.list().items.count == 20)
    }

    @Test func whatWaitsIsDroppedWhereTheCallIsOver() async throws {
        let service = try ServiceHarness()
        service.store.hold()
        let stream = try Stream(service)
        stream.send("A-0")
        await service.store.heldCommit()
        for number in 1..<20 { stream.send("A-\(number)") }
        await stream.hasTaken(20)
        stream.input.fail(.deadlineExceeded)
        stream.cancel()
        _ = try await stream.end()
        service.store.release()
        // Queued after what the stream has left behind.
        try await service.create("B")
        #expect(try await service.list().items.map(\.deviceSerial) == ["A-0", "B"])
    }
}
