// Which fields an update changes.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceWire

/// A request's `update_mask`, as AIP-134 has it: without paths, the populated fields; `*`, every field; else those named.
enum UpdateMask: Equatable {
    case populated
    case paths(Set<String>)

    /// Whether the field at `path` is to be changed.
    func includes(_ path: String, isPopulated: Bool) -> Bool {
        switch self {
        case .populated: isPopulated
        case .paths(let paths): paths.contains(path)
        }
    }
}

extension FieldCheck {
    /// The mask of a request whose fields to change are `known`; every other path is a bad one.
    mutating func updateMask(
        _ message: UnsafeMutablePointer<Google__Protobuf__FieldMask>?, known: [String]
    ) -> UpdateMask {
        guard let mask = message?.pointee, mask.n_paths > 0 else { return .populated }
        var paths: Set<String> = []
        for path in strings(mask.paths, count: mask.n_paths) {
            if path == "*", mask.n_paths == 1 {
                paths.formUnion(known)
            } else if path == "*" {
                self.refuse("update_mask", "must hold nothing else beside '*'")
            } else if known.contains(path) {
                paths.insert(path)
            } else {
                self.refuse(
                    "update_mask",
                    "has the unknown path \(quoted(path)); known paths are \(known.joined(separator: ", ")) and *")
            }
        }
        return .paths(paths)
    }
}
