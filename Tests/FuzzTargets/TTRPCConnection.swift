// What a ttrpc client may send in the life of a connection.

internal import RPC
internal import RollcallTesting
internal import TTRPC

extension FuzzTarget {
    /// Whatever comes, the server writes whole frames or closes the connection.
    ///
    /// The first byte decides whether the rest are the client's bytes or steps; the second how they are cut.
    static let ttrpcConnection = FuzzTarget(
        "ttrpc", "a ttrpc connection: frames, envelopes, calls", byteCountMax: 4_096,
        words: ServedChannel.methodNames + [EchoService.service],
        seeds: { TTRPCScript.seeds },
        feed: { bytes in
            var input = FuzzInput(bytes)
            let served = try ServedChannel {
                try ServerConnection.ttrpc($0, methods: $1, peer: $2, limits: $3, logger: $4)
            }
            let isScript = input.byte() & 1 == 1
            let pieceByteCount = Int(input.byte())
            if isScript {
                while !input.isEmpty { TTRPCScript.step(&input, served, pieceByteCount) }
            } else {
                for piece in input.rest.pieces(of: pieceByteCount) { served.read(piece) }
            }
            try TTRPCScript.check(try served.finish()[...])
        })
}

/// Steps that are likely to mean something.
private enum TTRPCScript {
    static func step(_ input: inout FuzzInput, _ served: ServedChannel, _ pieceByteCount: Int) {
        let kind = input.byte() % 6
        guard kind != 5 else { return served.happen(input.byte()) }
        let id = UInt32(input.byte())
        let flags = input.byte()
        let frame: [UInt8]
        switch kind {
        case 0, 1:
            let method = input.element(of: ServedChannel.methodNames)
            let payload = Array(input.bytes(Int(input.byte())))
            let envelope = TTRPCBytes.envelope(method, payload, timeoutNanoseconds: kind == 0 ? 0 : input.byte())
            frame = TTRPCBytes.frame(type: 1, flags: flags, id: id, envelope)
        case 2:
            frame = TTRPCBytes.frame(type: 3, flags: flags, id: id, input.bytes(Int(input.byte())))
        case 3:
            let byteCount = input.number() % (2 * ServedChannel.limits.messageByteCountMax)
            frame = TTRPCBytes.frame(type: input.byte(), flags: flags, id: id, repeatElement(flags, count: byteCount))
        default:
            frame = TTRPCBytes.frame(type: 1, flags: flags, id: id, input.bytes(Int(input.byte())))
        }
        for piece in frame[...].pieces(of: pieceByteCount) { served.read(piece) }
    }

    /// The output must be whole frames, of the kinds and within the length that a server may send.
    static func check(_ output: ArraySlice<UInt8>) throws {
        var rest = output
        while !rest.isEmpty {
            let head = Array(rest.prefix(10))
            guard head.count == 10 else { throw FuzzFinding("The output ends within a frame's header.") }
            let byteCount = head[..<4].reduce(0) { $0 << 8 | Int($1) }
            guard byteCount <= ServedChannel.limits.messageByteCountMax else {
                throw FuzzFinding("The server wrote a frame of \(byteCount) bytes.")
            }
            guard head[8] == 2 || head[8] == 3 else {
                throw FuzzFinding("The server wrote a frame of type \(head[8]).")
            }
            guard rest.count >= 10 + byteCount else { throw FuzzFinding("The output ends within a frame's data.") }
            rest = rest.dropFirst(10 + byteCount)
        }
    }

    static var seeds: [FuzzSeed] {
        let hello = Array("hello".utf8)
        var seeds: [FuzzSeed] = []
        for (index, method) in ServedChannel.methodNames.enumerated() {
            // As bytes, with a message and the end of the caller's on a stream; and as steps, answered late.
            let bytes = TTRPCBytes.request(1, method, payload: hello) + TTRPCBytes.frame(type: 3, flags: 5, id: 1)
            seeds.append(FuzzSeed("bytes-\(method)", [0, 0] + bytes))
            let open: [UInt8] = [0, 1, 2, UInt8(index), 5] + hello
            seeds.append(FuzzSeed("steps-\(method)", [1, 0] + open + [2, 1, 0, 2, 65, 66, 2, 1, 5, 0, 5, 0]))
        }
        let hold: [UInt8] = [1, 3, 0, 7, 0, 9]
        return seeds + [
            FuzzSeed("deadline", [1, 0] + hold + [5, 8]), FuzzSeed("drain", [1, 0] + hold + [5, 3, 5, 1]),
            FuzzSeed("half-close", [1, 0] + hold + [5, 4, 5, 0]),
            FuzzSeed("unwritable", [1, 3, 5, 5] + hold + [5, 5]),
            FuzzSeed("oversize", [1, 0, 3, 5, 0, 6, 0, 1, 2, 5, 1, 0]),
            FuzzSeed("data-on-unary", [1, 0] + hold + [2, 3, 0, 1, 9]),
            FuzzSeed("even-id", [1, 0, 0, 2, 0, 0, 0]),
            FuzzSeed("envelope", [1, 0, 4, 1, 0, 6] + Array("\u{A}\u{1}a\u{12}\u{1}b".utf8)),
        ]
    }
}
