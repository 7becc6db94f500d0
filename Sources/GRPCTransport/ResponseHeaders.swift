// The headers of replies: those that open one, and the trailers that say how the call ended.

internal import FoundationEssentials
internal import NIOCore
internal import NIOHPACK
internal import ProtobufC
internal import RPC
internal import StatusWire

extension HPACKHeaders {
    /// Opens a reply that has messages.
    static let responseHead: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]

    /// Ends a reply well.
    static let okTrailers: HPACKHeaders = ["grpc-status": "0"]

    /// The longest encoded google.rpc.Status. Clients of gRPC's own C core take 8 KiB of trailers unless they ask for more,
    /// base64 makes four bytes of three, and the sentence stands there once more by itself.
    private static let statusByteCountMax = 4_096
    private static let messageByteCountMax = 1_024

    /// Ends a call that failed: alone, or after messages were sent.
    init(failure status: Status, isAlone: Bool) {
        self = isAlone ? Self.responseHead : [:]
        self.add(name: "grpc-status", value: "\(status.code.rawValue)")
        self.add(name: "grpc-message", value: status.message.percentEncoded(byteCountMax: Self.messageByteCountMax))
        let details = status.packed(Arena.current, byteCountMax: Self.statusByteCountMax)
        self.add(name: "grpc-status-details-bin", value: Data(details).base64EncodedString())
        if status.code == .unimplemented {
            self.add(name: "grpc-accept-encoding", value: "identity")
        }
    }

    /// Answers a request that is none of gRPC's.
    init(httpStatus: String, _ problem: String) {
        self = [":status": httpStatus, "grpc-status": "2", "grpc-message": problem.percentEncoded(byteCountMax: 1_024)]
    }
}

extension String {
    /// The text as `grpc-message` carries it: printable ASCII but for `%` as it is, the other bytes of its UTF-8 as `%XX`.
    ///
    /// - Parameter byteCountMax: The longest result; what is beyond is cut off after a whole character.
    func percentEncoded(byteCountMax: Int) -> String {
        var encoded = ""
        for character in self {
            let start = encoded.utf8.count
            for byte in character.utf8 {
                if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                    encoded.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let hex = String(byte, radix: 16, uppercase: true)
                    encoded += byte < 0x10 ? "%0\(hex)" : "%\(hex)"
                }
            }
            guard encoded.utf8.count <= byteCountMax else {
                return String(encoded.prefix(start))
            }
        }
        return encoded
    }
}
