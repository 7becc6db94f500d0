// The headers of replies: those that open one, and the trailers that say how the call ended.

internal import FoundationEssentials
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import StatusWire

/// Writes the fields of replies, as HPACK has them.
enum ResponseHeaders {
    /// The longest encoded google.rpc.Status. Clients of gRPC's own C core take 8 KiB of trailers unless they ask for more,
    /// base64 makes four bytes of three, and the sentence stands there once more by itself.
    private static let statusByteCountMax = 4_096
    private static let messageByteCountMax = 1_024

    private static let head = Self.encoded {
        $0.writeInteger(HPACKLiteral.status200)
        HPACKLiteral.append("content-type", "application/grpc", to: &$0)
    }

    private static let okTrailers = Self.encoded { HPACKLiteral.append("grpc-status", "0", to: &$0) }

    private static func encoded(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var bytes = ByteBuffer()
        write(&bytes)
        return Array(bytes.readableBytesView)
    }

    /// What a method's metadata may take of one block, as HPACK counts it.
    private static let metadataByteCountMax = 1_024

    /// Opens a reply that has messages, or an error that comes alone.
    static func appendHead(_ metadata: Metadata = Metadata(), to output: inout ByteBuffer) {
        output.writeBytes(Self.head)
        Self.append(metadata, to: &output)
    }

    /// Ends a reply well.
    static func appendOK(_ metadata: Metadata, to output: inout ByteBuffer) {
        output.writeBytes(Self.okTrailers)
        Self.append(metadata, to: &output)
    }

    /// A method's metadata. What the protocol keeps to itself or has no place for is left out, as is what goes beyond the
    /// bound: clients refuse a reply whose headers are too long for them.
    private static func append(_ metadata: Metadata, to output: inout ByteBuffer) {
        var byteCount = 0
        for (key, value) in metadata.pairs where Self.isSendable(key) && Self.isPrintable(value) {
            byteCount += key.utf8.count + value.utf8.count + 32
            guard byteCount <= Self.metadataByteCountMax else { return }
            HPACKLiteral.append(key, value, to: &output)
        }
    }

    private static func isPrintable(_ value: String) -> Bool {
        value.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }

    private static func isSendable(_ key: String) -> Bool {
        let isName = key.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default:
                false
            }
        }
        return isName && !key.isEmpty && !key.hasPrefix("grpc-") && !Self.namesOfHTTP.contains(key)
    }

    /// Names that mean something to whoever is between the two ends.
    private static let namesOfHTTP: Set<String> = [
        "connection", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Ends a call that failed.
    static func append(_ status: Status, to output: inout ByteBuffer) {
        HPACKLiteral.append("grpc-status", "\(status.code.rawValue)", to: &output)
        let message = status.message.percentEncoded(byteCountMax: Self.messageByteCountMax)
        HPACKLiteral.append("grpc-message", message, to: &output)
        let details = status.packed(Arena.current, byteCountMax: Self.statusByteCountMax)
        HPACKLiteral.append("grpc-status-details-bin", Data(details).base64EncodedString(), to: &output)
        if status.code == .unimplemented {
            HPACKLiteral.append("grpc-accept-encoding", "identity", to: &output)
        }
        Self.append(status.metadata, to: &output)
    }

    /// Answers a request that is none of gRPC's.
    static func append(httpStatus: String, _ problem: String, to output: inout ByteBuffer) {
        HPACKLiteral.append(":status", httpStatus, to: &output)
        HPACKLiteral.append("grpc-status", "\(Status.Code.unknown.rawValue)", to: &output)
        let message = problem.percentEncoded(byteCountMax: Self.messageByteCountMax)
        HPACKLiteral.append("grpc-message", message, to: &output)
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
