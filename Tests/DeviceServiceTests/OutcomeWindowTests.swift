// What of a stream is under way: in order, bounded, and ended at both ends.

import DeviceModel
import RPC
import Synchronization
import Testing

@testable import DeviceService

@Suite struct OutcomeWindowTests {
    private typealias Window = OutcomeWindow<Result<Device, Status>>

    private static func failure(_ number: Int64) -> Result<Device, Status> {
        .failure(Status(.notFound, "\(number)"))
    }

    /// The position and the message of the next outcome.
    private func next(_ window: Window) async throws -> [String]? {
        try await window.next().map { position, outcome in
            guard case .failure(let status) = outcome else { return ["\(position)"] }
            return ["\(position)", status.message]
        }
    }

    @Test func outcomesAreTakenInTheOrderOfTheirBeginnings() async throws {
        let window = Window(countMax: 4)
        for position in 1...3 as ClosedRange<Int64> { #expect(await window.begin() == position) }
        for position in [3, 1, 2] as [Int64] { window.complete(position, Self.failure(position)) }
        window.finish()
        for position in 1...3 { #expect(try await self.next(window) == ["\(position)", "\(position)"]) }
        #expect(try await self.next(window) == nil)
        #expect(await window.begin() == nil)
    }

    @Test func aTakerWaitsForTheFirstOutcomeWhateverElseIsKnown() async throws {
        let window = Window(countMax: 4)
        _ = await window.begin()
        _ = await window.begin()
        window.complete(2, Self.failure(2))
        async let first = self.next(window)
        for _ in 0..<100 { await Task.yield() }
        window.complete(1, Self.failure(1))
        #expect(try await first == ["1", "1"])
        #expect(try await self.next(window) == ["2", "2"])
    }

    @Test func oneTooManyWaitsUntilAnOutcomeIsTaken() async throws {
        let window = Window(countMax: 1)
        _ = await window.begin()
        let isBegun = Atomic<Bool>(false)
        async let second: Int64? = {
            let position = await window.begin()
            isBegun.store(true, ordering: .relaxed)
            return position
        }()
        window.complete(1, Self.failure(1))
        for _ in 0..<100 { await Task.yield() }
        let isTooEarly = isBegun.load(ordering: .relaxed)
        #expect(!isTooEarly)
        #expect(try await self.next(window) == ["1", "1"])
        #expect(await second == 2)
    }

    @Test func aFailureComesAfterTheLastOutcome() async throws {
        let window = Window(countMax: 4)
        _ = await window.begin()
        window.finish(.draining)
        window.finish()
        window.complete(1, Self.failure(1))
        #expect(window.isOpen)
        #expect(try await self.next(window) == ["1", "1"])
        await #expect(throws: Status.draining) { try await self.next(window) }
    }

    @Test func whatWasBegunAfterALastOutcomeIsNotCarriedOut() async throws {
        let window = Window(countMax: 4) { outcome in
            if case .failure(let status) = outcome { status.message == "2" } else { false }
        }
        for _ in 0..<3 { _ = await window.begin() }
        window.complete(1, Self.failure(1))
        #expect(window.isOpen)
        window.complete(2, Self.failure(2))
        #expect(!window.isOpen)
        #expect(try await self.next(window) == ["1", "1"])
        #expect(try await self.next(window) == ["2", "2"])
        #expect(!window.isOpen)
    }

    @Test func aClosedWindowLetsBothItsEndsGo() async throws {
        let window = Window(countMax: 1)
        _ = await window.begin()
        async let begun = window.begin()
        async let taken = self.next(window)
        for _ in 0..<100 { await Task.yield() }
        window.close()
        #expect(await begun == nil)
        #expect(try await taken == nil)
        #expect(!window.isOpen)
        // What was under way ends all the same.
        window.complete(1, Self.failure(1))
        window.finish(.draining)
        #expect(try await self.next(window) == nil)
    }
}
