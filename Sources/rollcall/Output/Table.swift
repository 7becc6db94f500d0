// Columns side by side, as wide as what stands in them and no wider than the terminal.

/// Lays out rows that come a page at a time.
struct Table {
    private struct Heading {
        let name: String
        let isNumber: Bool
    }

    private static let gap = "  "
    /// No column is cut below this, even where the terminal is narrower than all of them.
    private static let columnWidthMin = 8

    private let headings: [Heading]
    private let columnCountMax: Int?
    private let isStyled: Bool
    private var widths: [Int]
    private var isHeaderWritten = false

    /// - Parameters:
    ///   - columnCountMax: Columns of the terminal; nil cuts nothing.
    ///   - isStyled: Dims the header.
    init(headings: [(name: String, isNumber: Bool)], columnCountMax: Int?, isStyled: Bool) {
        self.headings = headings.map { Heading(name: $0.name, isNumber: $0.isNumber) }
        self.columnCountMax = columnCountMax
        self.isStyled = isStyled
        self.widths = headings.map { $0.name.columnCount }
    }

    /// The text of some more rows, after the header if they are the first.
    ///
    /// Columns widen for a later page where they must, and never narrow.
    mutating func text(of rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "" }
        let rows = rows.map { $0.map(\.visible) }
        for row in rows {
            for (index, cell) in row.enumerated() {
                self.widths[index] = max(self.widths[index], cell.columnCount)
            }
        }
        let widths = self.fittedWidths()
        var text = ""
        if !self.isHeaderWritten {
            self.isHeaderWritten = true
            let header = self.line(self.headings.map(\.name), widths: widths)
            text += (self.isStyled ? "\u{1B}[2m\(header)\u{1B}[0m" : header) + "\n"
        }
        for row in rows {
            text += self.line(row, widths: widths) + "\n"
        }
        return text
    }

    /// The widths, the widest ones cut until the line fits.
    private func fittedWidths() -> [Int] {
        guard let columnCountMax else { return self.widths }
        var widths = self.widths
        var excess = widths.reduce(0, +) + Self.gap.count * (widths.count - 1) - columnCountMax
        while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }) {
            // Down to the next widest at once, or a step where two are equal.
            let next = widths.indices.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
            let step = min(excess, max(1, widths[widest] - next), widths[widest] - Self.columnWidthMin)
            guard step > 0 else { break }
            widths[widest] -= step
            excess -= step
        }
        return widths
    }

    private func line(_ cells: [String], widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let shown = cell.cut(to: widths[index])
            let padding = String(repeating: " ", count: widths[index] - shown.columnCount)
            let isLast = index == cells.count - 1
            if index > 0 {
                line += Self.gap
            }
            // No blanks at the end of a line.
            line += self.headings[index].isNumber ? padding + shown : shown + (isLast ? "" : padding)
        }
        return line
    }
}
