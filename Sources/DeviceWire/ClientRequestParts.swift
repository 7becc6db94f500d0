// What the requests of several services have in common, as a caller builds them.

internal import CRollcallProto
internal import FoundationEssentials
internal import ProtobufC

extension Arena {
    /// A request id, or no text where the caller gives none.
    func optionalText(_ id: UUID?) -> ProtobufCBinaryData {
        id.map { self.text($0) } ?? ProtobufCBinaryData()
    }

    /// The values of a repeated text field, with their count.
    func texts(_ strings: [String]) -> (UnsafeMutablePointer<ProtobufCBinaryData>, Int) {
        let texts = self.makeTextArray(count: strings.count)
        for (index, string) in strings.enumerated() {
            texts[index] = self.text(string)
        }
        return (texts, strings.count)
    }

    /// The paths as a mask; nil where there are none.
    func fieldMask(_ paths: [String]) -> UnsafeMutablePointer<Google__Protobuf__FieldMask>? {
        guard !paths.isEmpty else { return nil }
        let mask = self.make(Messages.googleProtobufFieldMask)
        (mask.pointee.paths, mask.pointee.n_paths) = self.texts(paths)
        return mask
    }
}
