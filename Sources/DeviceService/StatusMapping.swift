// The one place where errors become statuses.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension Status {
    /// The status of whatever a method threw.
    init(reporting error: any Error) {
        switch error {
        case let error as Status: self = error
        case let error as RegistryError: self.init(error)
        case let error as InvalidFields: self.init(error)
        case let error as DecodingError: self.init(error)
        default: self = .defect("The server failed to answer: \(error).")
        }
    }

    /// A refusal by the registry, with the fields or the resource that it is about.
    init(_ error: RegistryError) {
        self.init(Code(error.code), error.message, reason: error.reason.rawValue)
        if !error.violations.isEmpty {
            self.details.append(.badRequest(error.violations))
        }
        if let resource = error.resource {
            self.details.append(.resourceInfo(resource, description: error.message))
        }
        if let bookmark = error.bookmark {
            self.details.append(.bookmark(bookmark))
        }
    }

    /// Bad fields. Where the page token alone is bad the reason says so, for then the caller begins its walk again.
    init(_ error: InvalidFields) {
        self.init(RegistryError(error))
        if error.violations.allSatisfy({ $0.field == "page_token" }) {
            self.reason = "PAGE_TOKEN_INVALID"
        }
    }

    /// Bytes that are not a message of the method's type.
    init(_ error: DecodingError) {
        switch error.code {
        case .invalidText:
            self.init(InvalidFields(error.path, "must be valid UTF-8 without NUL"))
        case .tooLarge, .tooManyFields:
            self = .limitExceeded(error.description)
        default:
            self = .malformed(error.description)
        }
    }
}

extension Status.Code {
    fileprivate init(_ code: RegistryError.Code) {
        switch code {
        case .invalidArgument: self = .invalidArgument
        case .notFound: self = .notFound
        case .alreadyExists: self = .alreadyExists
        case .failedPrecondition: self = .failedPrecondition
        case .aborted: self = .aborted
        case .resourceExhausted: self = .resourceExhausted
        case .unavailable: self = .unavailable
        case .outOfRange: self = .outOfRange
        }
    }
}

extension Status.Detail {
    /// A google.rpc.BadRequest that lists every violation.
    fileprivate static func badRequest(_ violations: [FieldViolation]) -> Status.Detail {
        Arena.current.scope { arena in
            let message = arena.make(Messages.googleRpcBadRequest)
            let fields: UnsafeMutablePointer<UnsafeMutablePointer<Google__Rpc__BadRequest__FieldViolation>?> =
                arena.makePointerArray(count: violations.count)
            for (index, violation) in violations.enumerated() {
                let field = arena.make(Messages.googleRpcBadRequestFieldViolation)
                field.pointee.field = arena.text(violation.field)
                field.pointee.description = arena.text(violation.description)
                fields[index] = field
            }
            message.pointee.n_field_violations = violations.count
            message.pointee.field_violations = fields
            return Status.Detail(packing: message, of: Messages.googleRpcBadRequest)
        }
    }

    /// A google.rpc.ResourceInfo that names what a refusal is about.
    fileprivate static func resourceInfo(
        _ resource: RegistryError.Resource, description: String
    ) -> Status.Detail {
        Arena.current.scope { arena in
            let message = arena.make(Messages.googleRpcResourceInfo)
            message.pointee.resource_type = arena.text(resource.type.rawValue)
            message.pointee.resource_name = arena.text(resource.name)
            message.pointee.description = arena.text(description)
            return Status.Detail(packing: message, of: Messages.googleRpcResourceInfo)
        }
    }

    /// Where a watch that has ended may be taken up again.
    fileprivate static func bookmark(_ bookmark: Bookmark) -> Status.Detail {
        Arena.current.scope { arena in
            Status.Detail(packing: arena.message(bookmark), of: Messages.bookmark)
        }
    }

    private init<Message>(packing message: UnsafeMutablePointer<Message>, of type: MessageType<Message>) {
        let byteCount = Encoding.packedByteCount(of: UnsafePointer(message))
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = Encoding.pack(UnsafePointer(message), into: UnsafeMutableRawBufferPointer(buffer))
        }
        self.init(typeURL: "type.googleapis.com/" + type.name, value: bytes)
    }
}
