import RPC
import RollcallTesting
import Testing

/// Calls that their callers give up, at the real daemon.
@Suite(.timeLimit(.minutes(5))) struct CancellationTests {
    private static let callCount = 10_000
    private static let callsAtOnce = 500
    /// Calls that are open at once afterwards: nearly as many as a connection may have.
    private static let afterwardsCount = 1_000
    /// What a daemon may grow by from its second thousand calls on.
    private static let growthByteCountMax = 16 << 20

    private static let createDevice = MethodName(service: "rollcall.v1.Devices", method: "CreateDevice")
    private static let listDevices = MethodName(service: "rollcall.v1.Devices", method: "ListDevices")
    private static let serverInfo = MethodName(service: "rollcall.v1.Server", method: "GetServerInfo")

    /// The frames of a call as far as it comes, in one of the ways there are, by turns.
    private static func frames(_ number: Int) -> [UInt8] {
        let stream = Self.stream(number)
        let name = number % 5 == 4 ? Self.listDevices : Self.createDevice
        let headers = HTTP2Connection.headers(name) + HTTP2Connection.field("grpc-timeout", "1H")
        let head = HTTP2Connection.frame(1, flags: HTTP2Connection.endHeaders, stream: stream, headers)
        let device = HTTP2Connection.message(number % 5 == 4 ? [] : Wire.device("C-\(number)"))
        return switch number % 5 {
        case 0: head
        case 1: head + HTTP2Connection.frame(0, stream: stream, Array(device.dropLast(3)))
        case 2: head + HTTP2Connection.frame(0, stream: stream, device)
        default: head + HTTP2Connection.frame(0, flags: HTTP2Connection.endStream, stream: stream, device)
        }
    }

    private static func stream(_ number: Int) -> UInt32 {
        UInt32(2 * number + 1)
    }

    @Test func cancelledCallsLeaveNothingBehind() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let connection = try #require(HTTP2Connection(daemon.socketPath))
            await connection.begin()
            var warmByteCount = 0
            for start in stride(from: 0, to: Self.callCount, by: Self.callsAtOnce) {
                let numbers = start..<start + Self.callsAtOnce
                await connection.send(numbers.flatMap(Self.frames))
                await connection.send(
                    numbers.flatMap { HTTP2Connection.frame(3, stream: Self.stream($0), [0, 0, 0, 8]) })
                if start == 2 * Self.callsAtOnce {
                    warmByteCount = try daemon.child.residentByteCount()
                }
            }
            // Were streams, or the user's calls in flight, still counted, some of these would be refused.
            let numbers = Self.callCount..<Self.callCount + Self.afterwardsCount
            await connection.send(
                numbers.flatMap {
                    HTTP2Connection.frame(
                        1, flags: HTTP2Connection.endHeaders, stream: Self.stream($0),
                        HTTP2Connection.headers(Self.serverInfo))
                })
            for number in numbers {
                await connection.send(
                    HTTP2Connection.frame(
                        0, flags: HTTP2Connection.endStream, stream: Self.stream(number), HTTP2Connection.message([])))
            }
            var answered: Set<UInt32> = []
            while answered.count < Self.afterwardsCount {
                let frame = try #require(await connection.receive())
                if frame.stream >= Self.stream(Self.callCount), frame.type == 0 { answered.insert(frame.stream) }
                // What the server sends counts against the window of the connection.
                if frame.type == 0, !frame.payload.isEmpty {
                    await connection.send(
                        HTTP2Connection.frame(8, HTTP2Connection.bigEndian(UInt32(frame.payload.count))))
                }
            }
            let growth = try daemon.child.residentByteCount() - warmByteCount
            #expect(growth < Self.growthByteCountMax)
            #expect(await daemon.stop() == .exit(0), "\(daemon.child.standardError)")
        }
    }
}
