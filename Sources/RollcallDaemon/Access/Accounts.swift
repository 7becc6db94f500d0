// Users and groups as the system knows them.

package import Access
internal import Glibc

extension AccountNames {
    /// What the system says: its files, and whatever else it asks.
    ///
    /// A name is looked for before a number, as chown does it.
    package static let system = AccountNames(
        userID: { text in
            readEntry(passwd(), { getpwnam_r(text, $0, $1, $2, $3) }) { $0.pw_uid } ?? UInt32.accountNumber(text)
        },
        groupID: { text in
            readEntry(group(), { getgrnam_r(text, $0, $1, $2, $3) }) { $0.gr_gid } ?? UInt32.accountNumber(text)
        }
    )
}

extension UInt32 {
    /// The number that digits stand for; the largest stands for nobody.
    fileprivate static func accountNumber(_ text: String) -> UInt32? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text), number != .max else {
            return nil
        }
        return number
    }
}

/// Calls one of the functions that look an account up, with as much room for its texts as it asks for.
private func readEntry<Entry, Result>(
    _ empty: Entry,
    _ find: (
        UnsafeMutablePointer<Entry>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>
    ) -> Int32,
    _ read: (Entry) -> Result
) -> Result? {
    var entry = empty
    var byteCount = 4_096
    // A group of all users of a large directory takes some hundred thousand bytes.
    while byteCount <= 16 << 20 {
        var found: UnsafeMutablePointer<Entry>?
        let texts = UnsafeMutablePointer<CChar>.allocate(capacity: byteCount)
        defer { texts.deallocate() }
        let error = find(&entry, texts, byteCount, &found)
        guard error == ERANGE else {
            return error == 0 && found != nil ? read(entry) : nil
        }
        byteCount *= 4
    }
    return nil
}
