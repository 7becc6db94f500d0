// A status as google.rpc.Status, for every transport: encoded and read.

package import CRollcallProto
package import ProtobufC
package import RPC

extension Status {
    private static let errorInfoTypeURL = "type.googleapis.com/google.rpc.ErrorInfo"
    private static let badRequestTypeURL = "type.googleapis.com/google.rpc.BadRequest"

    /// The status as an encoded google.rpc.Status of at most `byteCountMax` bytes.
    ///
    /// Where it would be longer, a BadRequest lists as many of the bad fields as there is room for, from the first on. If
    /// that does not do, the details are left out, then half of the message at a time.
    package func packed(_ arena: Arena, byteCountMax: Int) -> [UInt8] {
        let bytes = self.packed(arena)
        guard bytes.count > byteCountMax else {
            return bytes
        }
        precondition(self.details.count + self.message.utf8.count > 0, "The limit leaves no room for a bare status.")
        var shorter = self
        if !shorter.listFewerBadFields(by: bytes.count - byteCountMax) {
            shorter.details = []
            if self.details.isEmpty {
                shorter.message = String(self.message.prefix(self.message.count / 2))
            }
        }
        return shorter.packed(arena, byteCountMax: byteCountMax)
    }

    /// Leaves out the last bad fields of a BadRequest, with at least `byteCount` bytes; false where none would be left.
    private mutating func listFewerBadFields(by byteCount: Int) -> Bool {
        guard let index = self.details.firstIndex(where: { $0.typeURL == Self.badRequestTypeURL }) else { return false }
        let value = self.details[index].value
        var end = value.startIndex
        var fields = WireFields(value[...])
        while case .bytes(let field)? = (try? fields.next())?.value, field.endIndex <= value.endIndex - byteCount {
            end = field.endIndex
        }
        self.details[index].value.removeSubrange(end...)
        return end > value.startIndex
    }

    private func packed(_ arena: Arena) -> [UInt8] {
        let errorInfo = self.reason.map { reason in
            arena.scope { arena in
                let info = arena.make(Messages.googleRpcErrorInfo)
                info.pointee.reason = arena.text(reason)
                info.pointee.domain = arena.text(Self.errorDomain)
                return Detail(typeURL: Self.errorInfoTypeURL, value: Self.packed(info))
            }
        }
        let details = (errorInfo.map { [$0] } ?? []) + self.details
        // One run of bytes, so that all of them stay put while the message points at them.
        return details.flatMap(\.value).withUnsafeBytes { values in
            arena.scope { arena in
                let status = arena.make(Messages.googleRpcStatus)
                status.pointee.code = self.code.rawValue
                status.pointee.message = arena.text(self.message)
                status.pointee.details = arena.makePointerArray(count: details.count)
                status.pointee.n_details = details.count
                var valueIndex = 0
                for (index, detail) in details.enumerated() {
                    let any = arena.make(Messages.googleProtobufAny)
                    let value = values[valueIndex..<valueIndex + detail.value.count]
                    valueIndex = value.endIndex
                    any.pointee.type_url = arena.text(detail.typeURL)
                    any.pointee.value = arena.text(UnsafeRawBufferPointer(rebasing: value))
                    status.pointee.details[index] = any
                }
                return Self.packed(status)
            }
        }
    }

    private static func packed<Message>(_ message: UnsafeMutablePointer<Message>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Encoding.packedByteCount(of: UnsafePointer(message))) { bytes, count in
            count = Encoding.pack(UnsafePointer(message), into: UnsafeMutableRawBufferPointer(bytes))
        }
    }

    /// Reads a status off the wire, with its ErrorInfo of our domain taken out into ``reason``.
    package init(_ status: Google__Rpc__Status, _ arena: Arena) {
        self.init(Code(rawValue: status.code), status.message.string)
        for index in 0..<status.n_details {
            guard let any = status.details[index]?.pointee else {
                continue
            }
            let typeURL = any.type_url.string
            if self.reason == nil, typeURL == Self.errorInfoTypeURL,
                let reason = try? arena.decode(
                    Messages.googleRpcErrorInfo, from: any.value.bytes, { $0.pointee.reason.string }
                )
            {
                self.reason = reason
            } else {
                self.details.append(Detail(typeURL: typeURL, value: Array(any.value.bytes)))
            }
        }
    }
}
