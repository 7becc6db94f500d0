// Pages of the lists that are ordered by id: projects, and the cohorts of a project.

internal import DeviceModel
internal import FoundationEssentials

/// Which list a page is a part of; a token holds for one list of one store.
enum CatalogList: Hashable {
    case projects
    case cohorts(ProjectID)
}

/// Where a page of such a list begins, and how many items it holds.
///
/// A page never reaches the limit on a reply's bytes: it holds at most 1,000 items of at most 700 bytes.
struct CatalogPage {
    /// The last item's id of the page before; nil where the list begins here.
    var after: Int64?
    /// Items before this page, beyond `after`.
    var skipCount: Int
    var size: Int

    /// How many items to read: those to skip, the page, and one that tells whether there is another page.
    ///
    /// - Parameter listCount: How many items the whole list has: a page far past the end reads no more than that.
    func readCount(listCount: Int) -> Int {
        min(self.skipCount, listCount) + self.size + 1
    }

    /// - Throws: the violation of `page_token` where it is not one of this list.
    init(
        size: Int, position: PagePosition, of list: CatalogList, storeID: UUID
    ) throws(InvalidFields) {
        self.size = size
        self.skipCount = 0
        switch position {
        case .token(""):
            break
        case .token(let text):
            guard let after = Self.parse(text), text == Self.token(after: after, in: list, storeID: storeID) else {
                throw InvalidFields("page_token", "is not the next_page_token of a page of this list")
            }
            self.after = after
        case .number(let number):
            let (skipCount, overflow) = Int(clamping: number - 1).multipliedReportingOverflow(by: size)
            self.skipCount = overflow ? .max : skipCount
        }
    }

    /// The part of `items`, read from `after` on, that is this page, and the token of the next one; empty at the end.
    func cut<Item>(
        _ items: [Item], of list: CatalogList, storeID: UUID, id: (Item) -> Int64
    ) -> (items: ArraySlice<Item>, nextPageToken: String) {
        let page = items.dropFirst(self.skipCount).prefix(self.size)
        guard let last = page.last, page.endIndex < items.endIndex else { return (page, "") }
        return (page, Self.token(after: id(last), in: list, storeID: storeID))
    }

    /// A token: the id as sixteen hexadecimal digits, then a digest of it, the list and the store in as many.
    private static func token(after id: Int64, in list: CatalogList, storeID: UUID) -> String {
        var digest = FNV1a()
        withUnsafeBytes(of: storeID.uuid) { digest.combine($0) }
        let project: Int64 =
            switch list {
            case .projects: 0
            case .cohorts(let project): project.rawValue
            }
        digest.combine(UInt64(bitPattern: project))
        digest.combine(UInt64(bitPattern: id))
        return self.hexadecimal(UInt64(bitPattern: id)) + self.hexadecimal(digest.value)
    }

    private static func parse(_ token: String) -> Int64? {
        guard token.utf8.count == 32 else { return nil }
        return UInt64(token.prefix(16), radix: 16).map { Int64(bitPattern: $0) }
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
