// Users and groups as the system knows them.

package import Access
internal import Glibc

/// A user with its groups.
struct Account: Equatable {
    /// A user or a group; without a name where it has a number alone.
    struct Name: Equatable, CustomStringConvertible {
        let name: String?
        let number: UInt32

        var description: String {
            self.name.map { "\($0) (\(self.number))" } ?? "\(self.number)"
        }
    }

    let user: Name
    /// Its own group first; none for a number that no user has.
    let groups: [Name]

    /// The user of a name, or of a number, which needs no name; nil where there is none.
    static func find(_ text: String) -> Account? {
        let entry =
            readEntry(passwd(), { getpwnam_r(text, $0, $1, $2, $3) }, UserEntry.init)
            ?? UInt32(text).flatMap { number in
                readEntry(passwd(), { getpwuid_r(number, $0, $1, $2, $3) }, UserEntry.init)
            }
        guard let entry else {
            return UInt32.accountNumber(text).map { Account(user: Name(name: nil, number: $0), groups: []) }
        }
        return Account(
            user: Name(name: entry.name, number: entry.userID),
            groups: Self.groups(of: entry).map { number in
                Name(name: readEntry(group(), { getgrgid_r(number, $0, $1, $2, $3) }, Self.name), number: number)
            }
        )
    }

    private static func name(_ entry: group) -> String {
        String(cString: entry.gr_name)
    }

    private static func groups(of entry: UserEntry) -> [UInt32] {
        var count: Int32 = 64
        while true {
            var groups = [UInt32](repeating: 0, count: Int(count))
            if getgrouplist(entry.name, entry.groupID, &groups, &count) >= 0 {
                return Array(groups.prefix(Int(count)))
            }
        }
    }
}

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

/// What is needed of a line of the password file.
private struct UserEntry {
    let name: String
    let userID: UInt32
    let groupID: UInt32

    init(_ entry: passwd) {
        self.name = String(cString: entry.pw_name)
        self.userID = entry.pw_uid
        self.groupID = entry.pw_gid
    }
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
