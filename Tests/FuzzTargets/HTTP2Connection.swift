// What a gRPC client may send in the life of a connection.

internal import GRPCTransport
internal import RPC
internal import RollcallTesting

extension FuzzTarget {
    /// Whatever comes, the server writes whole frames, none of a message on a stream that it ended, or closes the connection.
    ///
    /// The first byte decides whether the rest are the client's bytes after the preface or steps; the second how they are cut.
    static let http2Connection = FuzzTarget(
        "http2", "a gRPC connection: HTTP/2 frames, headers, calls", byteCountMax: 4_096,
        words: ServedChannel.methodNames + [
            EchoService.service, "application/grpc", ":path", ":method", "POST", "grpc-timeout", "1S", "content-type",
            "te", "trailers", "-bin", "grpc-encoding",
        ],
        seeds: { HTTP2Script.seeds },
        feed: { bytes in
            var input = FuzzInput(bytes)
            let served = try ServedChannel {
                try ServerConnection.grpc($0, methods: $1, peer: $2, limits: $3, logger: $4)
            }
            let isScript = input.byte() & 1 == 1
            let pieceByteCount = Int(input.byte())
            served.read(HTTP2Connection.preface)
            if isScript {
                served.read(HTTP2Connection.frame(4))
                while !input.isEmpty { HTTP2Script.step(&input, served, pieceByteCount) }
            } else {
                for piece in input.rest.pieces(of: pieceByteCount) { served.read(piece) }
            }
            try HTTP2Script.check(try served.finish()[...])
        })
}

/// Steps that are likely to mean something.
private enum HTTP2Script {
    static func step(_ input: inout FuzzInput, _ served: ServedChannel, _ pieceByteCount: Int) {
        let kind = input.byte() % 8
        guard kind != 7 else { return served.happen(input.byte()) }
        let stream = UInt32(input.byte())
        let flags = input.byte()
        let frame: [UInt8]
        switch kind {
        case 0:
            let method = input.element(of: ServedChannel.methodNames)
            let headers = HTTP2Connection.headers(EchoService.name(method)) + input.bytes(Int(input.byte()))
            frame = HTTP2Connection.frame(1, flags: flags | HTTP2Connection.endHeaders, stream: stream, headers)
        case 1:
            let message = HTTP2Connection.message(Array(input.bytes(Int(input.byte()))))
            frame = HTTP2Connection.frame(0, flags: flags, stream: stream, message)
        case 2:
            frame = HTTP2Connection.frame(0, flags: flags, stream: stream, Array(input.bytes(Int(input.byte()))))
        case 3:
            let settings = (0..<Int(flags % 4)).flatMap { _ in
                [0, input.byte() % 8] + HTTP2Connection.bigEndian(UInt32(input.number()) << UInt32(input.byte() % 17))
            }
            frame = HTTP2Connection.frame(4, settings)
        case 4:
            let increment = UInt32(input.number()) << UInt32(flags % 17)
            frame = HTTP2Connection.frame(8, stream: stream, HTTP2Connection.bigEndian(increment))
        case 5:
            frame = HTTP2Connection.frame(3, stream: stream, HTTP2Connection.bigEndian(UInt32(flags)))
        default:
            frame = HTTP2Connection.frame(
                input.byte(), flags: flags, stream: stream, Array(input.bytes(Int(input.byte()))))
        }
        for piece in frame[...].pieces(of: pieceByteCount) { served.read(piece) }
    }

    /// The output must be whole frames, and those of a call in their order.
    static func check(_ output: ArraySlice<UInt8>) throws {
        var rest = output
        var ended: Set<UInt32> = []
        while !rest.isEmpty {
            let head = Array(rest.prefix(9))
            guard head.count == 9 else { throw FuzzFinding("The output ends within a frame's header.") }
            let byteCount = head[..<3].reduce(0) { $0 << 8 | Int($1) }
            guard byteCount <= 16_384 else { throw FuzzFinding("The server wrote a frame of \(byteCount) bytes.") }
            guard rest.count >= 9 + byteCount else { throw FuzzFinding("The output ends within a frame's payload.") }
            rest = rest.dropFirst(9 + byteCount)
            let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) }
            guard head[3] <= 1 else { continue }
            guard !ended.contains(stream) else { throw FuzzFinding("Stream \(stream) goes on after its end.") }
            if head[4] & HTTP2Connection.endStream != 0 { ended.insert(stream) }
        }
    }

    static var seeds: [FuzzSeed] {
        var seeds: [FuzzSeed] = []
        let settings = HTTP2Connection.frame(4, [0, 4, 0, 0, 255, 255])
        let message = HTTP2Connection.frame(0, flags: 1, stream: 1, HTTP2Connection.message(Array("hello".utf8)))
        for (index, method) in ServedChannel.methodNames.enumerated() {
            let headers = HTTP2Connection.headers(EchoService.name(method))
            let open = HTTP2Connection.frame(1, flags: HTTP2Connection.endHeaders, stream: 1, headers)
            seeds.append(FuzzSeed("bytes-\(method)", [0, 0] + settings + open + message))
            let steps: [UInt8] = [0, 1, 0, UInt8(index), 0, 1, 1, 0, 2, 65, 66, 1, 1, 1, 0, 7, 0]
            seeds.append(FuzzSeed("steps-\(method)", [1, 0] + steps))
        }
        let hold: [UInt8] = [0, 3, 1, 7, 0]
        let timeout = HTTP2Connection.field("grpc-timeout", "1S")
        let continued = HTTP2Connection.headers(EchoService.name("Echo"))
        return seeds + [
            FuzzSeed("deadline", [1, 0, 0, 3, 1, 7, UInt8(timeout.count)] + timeout + [7, 62]),
            FuzzSeed("reset", [1, 0] + hold + [5, 3, 8, 7, 0]), FuzzSeed("drain", [1, 0] + hold + [7, 3, 7, 0]),
            FuzzSeed("no-window", [1, 0, 3, 0, 1, 4, 0, 0, 0] + [0, 1, 1, 7, 0, 7, 0, 4, 1, 0, 0, 3, 4, 1, 8, 1, 0]),
            FuzzSeed("ping", [1, 0, 6, 0, 0, 6, 8, 1, 2, 3, 4, 5, 6, 7, 8]),
            FuzzSeed("padded", [1, 5] + hold.dropLast(2) + [0, 0, 2, 3, 8, 7, 1, 0, 0, 0, 0, 0, 0]),
            FuzzSeed(
                "continuation",
                [0, 50] + settings + HTTP2Connection.frame(1, flags: 1, stream: 1, Array(continued.prefix(30)))
                    + HTTP2Connection.frame(9, flags: 4, stream: 1, Array(continued.dropFirst(30)))),
            // From the static table and by Huffman codes, as clients write them: `:method: POST`, `:scheme: http`, `:path: /a`.
            FuzzSeed(
                "packed-headers",
                [0, 0] + settings
                    + HTTP2Connection.frame(1, flags: 5, stream: 1, [0x83, 0x86, 0x44, 0x82, 0x60, 0x1F, 0x20, 0xBE])),
            FuzzSeed("unwritable", [1, 0, 7, 5] + [0, 1, 0, 0, 0, 1, 1, 1, 3, 1, 2, 3, 7, 5]),
        ]
    }
}
