// rollcall.v1.Projects/CreateProject

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Creates a project.
    var createProject: Method {
        self.mutating(.projects("CreateProject"), Messages.createProjectRequest) { message, check in
            let message = message.pointee
            guard let project = check.required(message.project, "project") else { return nil }
            let slug = project.slug.string
            check.slug(slug, field: "project.slug")
            return Draft(
                project: slug,
                mutation: .createProject(name: check.name(project.name, orSlug: slug, field: "project.name")),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}

extension FieldCheck {
    /// The name that a request gives to something new; the slug where it gives none.
    mutating func name(_ text: ProtobufCBinaryData, orSlug slug: String, field: String) -> String {
        guard !text.bytes.isEmpty else { return slug }
        let name = text.string
        self.name(name, field: field)
        return name
    }
}
