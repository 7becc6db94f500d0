// How a release is written as one text, so that one dictionary finds, counts and sorts releases.

internal import DeviceModel

/// Version, NUL, revision: no text of the registry holds a NUL, so the pair is found again, and the bytes sort by version, then revision.
enum ReleaseText {
    static func bytes(version: String, revision: String) -> [UInt8] {
        var bytes = Array(version.utf8)
        bytes.append(0)
        bytes.append(contentsOf: revision.utf8)
        return bytes
    }

    @inline(__always)
    static func split(
        _ text: UnsafeRawBufferPointer, versionByteCount: UInt32
    ) -> (version: UnsafeRawBufferPointer, revision: UnsafeRawBufferPointer) {
        let end = Int(versionByteCount)
        return (
            UnsafeRawBufferPointer(rebasing: text[..<end]),
            UnsafeRawBufferPointer(rebasing: text[(end + 1)...])
        )
    }
}

extension String {
    /// Calls `body` with the text's UTF-8.
    @inline(__always)
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = self.utf8.withContiguousStorageIfAvailable { bytes -> Swift.Result<Result, Failure> in
            do throws(Failure) {
                return .success(try body(UnsafeRawBufferPointer(bytes)))
            } catch {
                return .failure(error)
            }
        }
        guard let result else { preconditionFailure("a text of this platform lies in one piece") }
        return try result.get()
    }
}
