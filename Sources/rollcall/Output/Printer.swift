// Results in the format that was asked for.

internal import JSONText

/// Where in a list a page stands, as the Devices API tells it.
struct Paging: Hashable, Sendable {
    var itemCount: Int
    /// Nil in a walk by tokens.
    var page: Int64?
    /// How many items a page holds, at most.
    var itemCountPerPage: Int
    /// Nil unless it was asked for.
    var totalCount: Int64?
    /// Nil at the end.
    var nextPageToken: String?

    /// Nil in a walk by tokens, and where the total is not known.
    var pageCount: Int64? {
        guard self.page != nil, let totalCount else { return nil }
        let perPage = Int64(self.itemCountPerPage)
        return totalCount / perPage + (totalCount % perPage == 0 ? 0 : 1)
    }

    var json: JSON {
        .object([
            ("item_count", .int(Int64(self.itemCount))),
            ("page", .number(self.page)),
            ("page_count", .number(self.pageCount)),
            ("per_page", .int(Int64(self.itemCountPerPage))),
            ("total_count", .number(self.totalCount)),
            ("next_page_token", .text(self.nextPageToken)),
        ])
    }
}

/// Writes data to one place and words to another.
struct Printer: Sendable {
    let format: OutputFormat
    let data: Output
    let words: Output

    /// One line for a program, or a member a line for a person.
    fileprivate var style: JSON.Style { self.data.isTerminal ? .indented : .line }

    /// Writes one item.
    func one<Item>(_ item: Item, as layout: Layout<Item>) throws(OutputError) {
        switch self.format {
        case .json:
            try self.data.write(JSON.object([("data", layout.json(item))]).text(self.style) + "\n")
        case .table:
            let lines = layout.lines(of: item)
            let width = lines.map(\.name.visible.columnCount).max() ?? 0
            for line in lines {
                let name = line.name.visible
                let padding = String(repeating: " ", count: width - name.columnCount + 2)
                try self.data.write(name + padding + (line.text.isEmpty ? "-" : line.text.visible) + "\n")
            }
        case .ndjson, .csv:
            var list = self.list(of: layout)
            try list.write([item])
            try list.finish(nil)
        }
    }

    /// Writes a list that came as a whole, without paging.
    func whole<Item>(_ items: [Item], _ noun: String, as layout: Layout<Item>) throws(OutputError) {
        var list = self.list(of: layout)
        try list.write(items)
        try list.finish(nil)
        if items.isEmpty {
            self.note("No \(noun).")
        }
    }

    /// Begins a list, whose items follow a page at a time.
    func list<Item>(of layout: Layout<Item>) -> ListPrinter<Item> {
        ListPrinter(self, layout)
    }

    /// Says something to the person at a terminal; nothing to a program, which has the exit code.
    func note(_ sentence: String) {
        guard self.format == .table else { return }
        // There is no one left to tell that telling failed.
        try? self.words.write(sentence.visible + "\n")
    }
}

/// A list on its way out: no more than a page of it is held.
struct ListPrinter<Item> {
    private let printer: Printer
    private let layout: Layout<Item>
    private var table: Table
    private var isBegun = false
    private var itemCount = 0

    fileprivate init(_ printer: Printer, _ layout: Layout<Item>) {
        self.printer = printer
        self.layout = layout
        self.table = Table(
            headings: layout.columns.map { ($0.name, $0.isNumber) },
            columnCountMax: printer.data.columnCount,
            isStyled: printer.data.isStyled
        )
    }

    /// Writes some more items.
    mutating func write(_ items: [Item]) throws(OutputError) {
        let style = self.printer.style
        var text = self.beginning()
        switch self.printer.format {
        case .json:
            for item in items {
                let separator = self.itemCount == 0 ? "" : ","
                text += separator + (style == .indented ? JSON.lineBreak(depth: 2) : separator.isEmpty ? "" : " ")
                text += self.layout.json(item).text(style, depth: 2)
                self.itemCount += 1
            }
        case .ndjson:
            for item in items {
                text += self.layout.json(item).text(.line) + "\n"
            }
        case .table:
            text += self.table.text(of: items.map { item in self.layout.columns.map { $0.text(item) } })
        case .csv:
            for item in items {
                text += self.record(self.layout.fields.map { $0.text(item) })
            }
        }
        try self.printer.data.write(text)
    }

    /// Ends the list.
    ///
    /// - Parameter paging: Where its last page stands; nil for a list that comes as a whole.
    mutating func finish(_ paging: Paging?) throws(OutputError) {
        var text = self.beginning()
        if self.printer.format == .json {
            let style = self.printer.style
            let isIndented = style == .indented
            text += isIndented && self.itemCount > 0 ? JSON.lineBreak(depth: 1) + "]" : "]"
            if let paging {
                text += "," + (isIndented ? JSON.lineBreak(depth: 1) : " ")
                text += "\"paging\": " + paging.json.text(style, depth: 1)
            }
            text += (isIndented ? "\n" : "") + "}\n"
        }
        try self.printer.data.write(text)
    }

    private mutating func beginning() -> String {
        guard !self.isBegun else { return "" }
        self.isBegun = true
        switch self.printer.format {
        case .json:
            return "{" + (self.printer.style == .indented ? JSON.lineBreak(depth: 1) : "") + "\"data\": ["
        case .csv:
            return self.record(self.layout.fields.map(\.name))
        case .table, .ndjson:
            return ""
        }
    }

    /// A record; on a terminal with what would steer it written out, for CSV itself escapes nothing.
    private func record(_ fields: [String]) -> String {
        CSV.record(self.printer.data.isTerminal ? fields.map(\.visible) : fields)
    }
}
