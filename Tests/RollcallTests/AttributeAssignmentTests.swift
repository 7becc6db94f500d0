import DeviceModel
import Foundation
import RollcallClient
import Testing

@testable import rollcall

/// What the type of a key makes of VALUE.
@Suite struct AttributeAssignmentTests {
    /// A project whose keys have these types, and what it was asked.
    private actor Server {
        struct Call: Equatable {
            var values: [AttributeValue?]
            var requestID: UUID?
        }

        private let types: [String: DataType]
        private(set) var calls: [Call] = []

        init(_ types: [String: DataType]) {
            self.types = types
        }

        func write(_ updates: [AttributeUpdate], _ requestID: UUID?) throws(RollcallError) {
            self.calls.append(Call(values: updates.map(\.value), requestID: requestID))
            let violations = updates.enumerated().compactMap { index, update -> FieldViolation? in
                guard let type = self.types[update.key], let given = update.value?.dataType, type != given else {
                    return nil
                }
                return FieldViolation(field: "attributes[\(index)].value", description: "must be \(type), not \(given)")
            }
            guard violations.isEmpty else {
                throw RollcallError(.invalidArgument, "No.", reason: "ATTRIBUTE_TYPE_MISMATCH", violations: violations)
            }
        }
    }

    private static func send(_ arguments: [String], to server: Server, requestID: UUID? = nil) async throws {
        try await arguments.map { try AttributeAssignment.argument($0) }.send(requestID: requestID) {
            updates, requestID throws(RollcallError) in try await server.write(updates, requestID)
        }
    }

    @Test func stringKeyTakesBareScalarsAsTheTextTheyAre() async throws {
        let server = Server(["note": .string, "on": .string, "count": .int])
        try await Self.send(["note=20", "count=7", "on=true", "new=1.50"], to: server)
        #expect(
            await server.calls.map(\.values) == [
                [.int(20), .int(7), .bool(true), .float(1.5)], [.string("20"), .int(7), .string("true"), .float(1.5)],
            ])
    }

    @Test func valueOfItsKeysTypeIsSentOnce() async throws {
        let server = Server(["count": .int, "note": .string])
        try await Self.send(["count=7", "note=\"20\""], to: server)
        #expect(await server.calls.map(\.values) == [[.int(7), .string("20")]])
    }

    @Test func valueThatNoReadingFitsIsRefusedAsItWasGiven() async throws {
        let server = Server(["count": .int])
        for (argument, given, callCount) in [("count=true", "BOOL", 2), ("count=seven", "STRING", 3)] {
            let error = await #expect(throws: RollcallError.self) { try await Self.send([argument], to: server) }
            #expect(error?.reason == "ATTRIBUTE_TYPE_MISMATCH")
            #expect(error?.violations.map(\.description) == ["must be INT, not \(given)"])
            #expect(await server.calls.count == callCount)
        }
    }

    @Test func secondCallHasTheSameOtherIDEachTime() async throws {
        let server = Server(["note": .string])
        let id = UUID()
        for _ in 0..<2 {
            try await Self.send(["note=20"], to: server, requestID: id)
        }
        let ids = await server.calls.map(\.requestID)
        #expect(ids == [id, ids[1], id, ids[1]])
        #expect(ids[1] != nil && ids[1] != id)
    }

    @Test func anotherRefusalIsNotTriedAgain() async throws {
        let error = await #expect(throws: RollcallError.self) {
            try await [AttributeAssignment.argument("a=1")].send { _, _ throws(RollcallError) in
                throw RollcallError(.aborted, "No.", reason: "ETAG_STALE")
            }
        }
        #expect(error?.reason == "ETAG_STALE")
    }
}
