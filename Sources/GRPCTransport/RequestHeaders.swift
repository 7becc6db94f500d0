// The headers that open a call: which method, until when, with which metadata.

internal import NIOCore
internal import NIOHPACK
internal import RPC

/// What the headers of a request say of its call.
struct RequestHeaders {
    let method: Method
    let methodIndex: MethodIndex
    /// What the caller waits for an answer; nil for as long as it takes.
    let timeout: TimeAmount?
    let metadata: Metadata

    /// Reads a request's headers, as the gRPC protocol over HTTP/2 has them.
    ///
    /// - Throws: why there is no such call.
    init(_ headers: HPACKHeaders, methods: MethodTable) throws(RequestRefusal) {
        var path: String?
        var isPost = false
        var isGRPC = false
        var timeout: TimeAmount?
        var metadata = Metadata()
        for (name, value, _) in headers {
            switch name {
            case ":path": path = value
            case ":method": isPost = value == "POST"
            case "content-type": isGRPC = Self.isContentTypeOfGRPC(value)
            case "grpc-timeout":
                guard let amount = TimeAmount(grpcTimeout: value) else {
                    throw .status(
                        .malformed("The timeout \(value.prefix(32)) is not digits and one of H, M, S, m, u, n."))
                }
                timeout = amount
            case let name where name.hasPrefix(":") || Self.reservedNames.contains(name): break
            default: metadata.append(key: name, value: value)
            }
        }
        guard isPost else { throw .http(status: "405", "A call is a POST.") }
        guard isGRPC else { throw .http(status: "415", "The content type of a call begins with application/grpc.") }
        (self.method, self.methodIndex) = try Self.method(of: path ?? "", in: methods)
        self.timeout = timeout
        self.metadata = metadata
    }

    /// Headers of the protocol itself, which no method is told.
    private static let reservedNames: Set<String> = [
        "te", "grpc-encoding", "grpc-accept-encoding", "grpc-message-type",
    ]

    /// `application/grpc`, alone or with a message format or a parameter after it; not `application/grpc-web`.
    private static func isContentTypeOfGRPC(_ value: String) -> Bool {
        let prefix = "application/grpc"
        guard value.utf8.prefix(prefix.utf8.count).elementsEqual(prefix.utf8) else { return false }
        let next = value.utf8.dropFirst(prefix.utf8.count).first
        return next == nil || next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }

    /// Looks `/service/method` up.
    private static func method(
        of path: String, in methods: MethodTable
    ) throws(RequestRefusal) -> (Method, MethodIndex) {
        var path = path
        let lookup = path.withUTF8 { utf8 -> MethodTable.Lookup in
            let bytes = UnsafeRawBufferPointer(utf8)
            guard bytes.first == UInt8(ascii: "/"), let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else {
                return .unknownService
            }
            return methods.lookup(
                service: UnsafeRawBufferPointer(rebasing: bytes[1..<slash]),
                method: UnsafeRawBufferPointer(rebasing: bytes[(slash + 1)...])
            )
        }
        guard case .found(let method, let index) = lookup else {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            throw .status(
                .unknownMethod(
                    service: String(path[..<slash].dropFirst()), method: String(path[slash...].dropFirst())
                )
            )
        }
        return (method, index)
    }
}

/// Why headers open no call.
enum RequestRefusal: Error, Hashable {
    /// The request is none of gRPC: answered in HTTP's own terms.
    case http(status: String, String)
    case status(Status)
}

extension TimeAmount {
    /// Reads a `grpc-timeout`: digits and a unit, which is one of `H M S m u n`.
    ///
    /// The specification allows eight digits. Clients send more; what goes beyond about 292 years is cut to that.
    init?(grpcTimeout value: String) {
        let digits = value.utf8.dropLast()
        guard let unit = value.utf8.last, (1...19).contains(digits.count) else { return nil }
        var amount: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            amount = amount.multipliedSaturating(by: 10).addingSaturating(Int64(digit - UInt8(ascii: "0")))
        }
        let nanoseconds: Int64
        switch unit {
        case UInt8(ascii: "H"): nanoseconds = 3_600_000_000_000
        case UInt8(ascii: "M"): nanoseconds = 60_000_000_000
        case UInt8(ascii: "S"): nanoseconds = 1_000_000_000
        case UInt8(ascii: "m"): nanoseconds = 1_000_000
        case UInt8(ascii: "u"): nanoseconds = 1_000
        case UInt8(ascii: "n"): nanoseconds = 1
        default: return nil
        }
        self = .nanoseconds(amount.multipliedSaturating(by: nanoseconds))
    }
}

extension Int64 {
    fileprivate func multipliedSaturating(by other: Int64) -> Int64 {
        let (product, isBeyond) = self.multipliedReportingOverflow(by: other)
        return isBeyond ? .max : product
    }

    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, isBeyond) = self.addingReportingOverflow(other)
        return isBeyond ? .max : sum
    }
}
