// Options that several commands have.

internal import ArgumentParser
internal import DeviceModel
internal import FoundationEssentials

/// Makes a mutation safe to repeat.
struct RequestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A UUID under which a repeat of this command has no further effect, for a day.", valueName: "uuid"
        ),
        transform: UUID.argument
    )
    var requestID: UUID?
}

/// Checks a mutation without making it.
struct ValidationOptions: ParsableArguments {
    @Flag(help: "Check everything and show what would be, but store nothing.")
    var validateOnly = false
}

/// Which part of a list to print.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Most items a page, up to 1000. Default: 100, and 1000 with --all.", valueName: "count"))
    var pageSize: Int?

    @Option(help: ArgumentHelp("Print page number <number>, from 1, and count them.", valueName: "number"))
    var page: Int64?

    @Option(help: ArgumentHelp("Print the page after the one that gave this token.", valueName: "token"))
    var pageToken: String?

    @Flag(help: "Print every page, from --page-token on if that is given.")
    var all = false

    @Flag(help: "Count the matches over all pages too.")
    var total = false

    private static let itemCountMax = 1_000

    func validate() throws {
        if let size = self.pageSize, size < 1 {
            throw ValidationError("--page-size must be at least 1.")
        }
        guard let page = self.page else { return }
        if page < 1 || page > Int32.max {
            throw ValidationError("--page must be 1 to \(Int32.max).")
        }
        if self.all || self.pageToken != nil {
            throw ValidationError("--page does not go together with \(self.all ? "--all" : "--page-token").")
        }
    }

    /// Items a page, as the server reads the option.
    var itemCountPerPage: Int {
        min(self.pageSize ?? (self.all ? Self.itemCountMax : 100), Self.itemCountMax)
    }

    /// Where to begin.
    var position: PagePosition {
        self.page.map(PagePosition.number) ?? .token(self.pageToken ?? "")
    }

    /// Whether the total is wanted: a caller who counts pages wants to know how many there are.
    var includesTotal: Bool {
        self.total || self.page != nil
    }

    /// Prints one page, or every one from there on, holding no more than one at a time.
    ///
    /// - Parameters:
    ///   - noun: What the items are called, in the plural.
    ///   - fetch: Returns a page, with the total if the last argument says so.
    /// - Throws: What `fetch` throws, or ``OutputError``.
    func show<Item>(
        _ noun: String,
        as layout: Layout<Item>,
        to printer: Printer,
        fetch: (_ position: PagePosition, _ itemCount: Int, _ includesTotal: Bool) async throws -> Page<Item>
    ) async throws {
        var list = printer.list(of: layout)
        var paging = Paging(itemCount: 0, page: self.page, itemCountPerPage: self.itemCountPerPage)
        var position = self.position
        var isFirst = true
        repeat {
            let page = try await fetch(position, self.itemCountPerPage, isFirst && self.includesTotal)
            if isFirst, self.includesTotal {
                paging.totalCount = page.totalCount
            }
            isFirst = false
            paging.itemCount += page.items.count
            paging.nextPageToken = page.nextPageToken.isEmpty ? nil : page.nextPageToken
            try list.write(page.items)
            position = .token(page.nextPageToken)
        } while self.all && paging.nextPageToken != nil
        try list.finish(paging)
        self.note(paging, noun, to: printer)
    }

    /// Says how many there are and how to see the rest.
    private func note(_ paging: Paging, _ noun: String, to printer: Printer) {
        var sentence = paging.itemCount == 0 ? "No \(noun)." : ""
        if let total = paging.totalCount, paging.itemCount > 0 {
            sentence = "\(paging.itemCount) of \(total) \(noun)."
        }
        if let token = paging.nextPageToken {
            sentence += (sentence.isEmpty ? "" : " ") + "There are more: --all, or --page-token \(token)"
        }
        if !sentence.isEmpty {
            printer.note(sentence)
        }
    }
}
