// The details of an error as a caller reads them.

internal import CRollcallProto
package import DeviceModel
package import ProtobufC

/// What a refusal says beyond its code and sentence.
package enum ErrorDetail: Hashable, Sendable {
    /// google.rpc.BadRequest: every bad field.
    case violations([FieldViolation])
    /// google.rpc.ResourceInfo: what the call was about.
    case resource(type: String, name: String, description: String)
    /// rollcall.v1.Bookmark: where a watch may be taken up again.
    case bookmark(Bookmark)

    private static let typeURLPrefix = "type.googleapis.com/"

    /// Nil for a detail of another type, or one that cannot be decoded: the code and the sentence stand without it.
    package init?(typeURL: String, value: UnsafeRawBufferPointer, arena: Arena) {
        switch typeURL {
        case Self.typeURLPrefix + "google.rpc.BadRequest":
            let violations = try? arena.decode(Messages.googleRpcBadRequest, from: value) { message in
                elements(message.pointee.field_violations, count: message.pointee.n_field_violations).map {
                    FieldViolation(field: $0.pointee.field.string, description: $0.pointee.description.string)
                }
            }
            guard let violations else { return nil }
            self = .violations(violations)
        case Self.typeURLPrefix + "google.rpc.ResourceInfo":
            let resource = try? arena.decode(Messages.googleRpcResourceInfo, from: value) { message in
                let message = message.pointee
                return (message.resource_type.string, message.resource_name.string, message.description.string)
            }
            guard let resource else { return nil }
            self = .resource(type: resource.0, name: resource.1, description: resource.2)
        case Self.typeURLPrefix + "rollcall.v1.Bookmark":
            let bookmark = try? arena.decode(Messages.bookmark, from: value) { try Bookmark(from: UnsafePointer($0)) }
            guard let bookmark else { return nil }
            self = .bookmark(bookmark)
        default:
            return nil
        }
    }
}
