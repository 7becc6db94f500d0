// Pages of the lists that are ordered by one unique value: projects by id, hardware versions by text, and so on.

internal import DeviceModel
internal import FoundationEssentials
internal import RPC

/// Which list a page is a part of; a token holds for one list of one store.
struct CatalogList: Hashable {
    /// What lists it.
    var method: MethodName
    /// Nil for the list of projects.
    var project: ProjectID?
    var storeID: UUID
}

/// What a list is ordered by: where its pages begin and end.
protocol CatalogPlace: SendableMetatype {
    /// What a token keeps of it.
    var tokenBytes: [UInt8] { get }

    init?(tokenBytes: [UInt8])
}

extension Identifier: CatalogPlace {
    var tokenBytes: [UInt8] {
        withUnsafeBytes(of: self.rawValue.bigEndian) { Array($0) }
    }

    init?(tokenBytes: [UInt8]) {
        guard tokenBytes.count == 8 else { return nil }
        self.init(rawValue: tokenBytes.reduce(0) { $0 << 8 | Int64($1) })
    }
}

extension String: CatalogPlace {
    var tokenBytes: [UInt8] {
        Array(self.utf8)
    }

    init?(tokenBytes: [UInt8]) {
        self.init(validating: tokenBytes, as: UTF8.self)
    }
}

/// The most bytes that a text in whose order there is a list has.
private let placeByteCountMax = max(FieldCheck.hardwareVersionLengthMax, FieldCheck.attributeKeyLengthMax)

/// Where a page of such a list begins, and how many items it holds.
///
/// A page never reaches the limit on a reply's bytes: it holds at most 1,000 items of at most 1,100 bytes.
struct CatalogPage<Place: CatalogPlace> {
    let list: CatalogList
    /// The last item's place of the page before; nil where the list begins here.
    private(set) var after: Place?
    /// Items before this page, beyond `after`.
    private var skipCount = 0
    private let size: Int

    /// How many items to read: those to skip, the page, and one that tells whether there is another page.
    ///
    /// - Parameter listCount: How many items the whole list has: a page far past the end reads no more than that.
    func readCount(listCount: Int) -> Int {
        min(self.skipCount, listCount) + self.size + 1
    }

    /// - Throws: the violation of `page_token` where it is not one of this list.
    init(size: Int, position: PagePosition, of list: CatalogList) throws(InvalidFields) {
        self.list = list
        self.size = size
        switch position {
        case .token(""):
            break
        case .token(let text):
            guard let after = Self.parse(text), text == self.token(after: after) else {
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
        _ items: [Item], place: (Item) -> Place
    ) -> (items: ArraySlice<Item>, nextPageToken: String) {
        let page = items.dropFirst(self.skipCount).prefix(self.size)
        guard let last = page.last, page.endIndex < items.endIndex else { return (page, "") }
        return (page, self.token(after: place(last)))
    }

    /// A token, in hexadecimal: the place's bytes, then the sixteen digits of a digest of it, the list and the store.
    private func token(after place: Place) -> String {
        let bytes = place.tokenBytes
        var digest = FNV1a()
        withUnsafeBytes(of: self.list.storeID.uuid) { digest.combine($0) }
        digest.combine(self.list.method.description)
        digest.combine(UInt64(bitPattern: self.list.project?.rawValue ?? 0))
        digest.combine(bytes)
        return (bytes + withUnsafeBytes(of: digest.value.bigEndian) { Array($0) }).map(Self.hexadecimal).joined()
    }

    /// Takes some texts that are no tokens, such as ones in capitals: comparing with the place's own token tells them.
    private static func parse(_ token: String) -> Place? {
        guard token.utf8.count <= 2 * placeByteCountMax + 16 else { return nil }
        var digits = token.utf8.dropLast(16)
        var bytes: [UInt8] = []
        while !digits.isEmpty {
            guard let text = String(digits.prefix(2)), let byte = UInt8(text, radix: 16) else { return nil }
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        return Place(tokenBytes: bytes)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
