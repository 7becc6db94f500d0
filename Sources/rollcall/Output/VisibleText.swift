// Text from elsewhere on a terminal: what it may not do there, and how much room it takes.

internal import JSONText

extension String {
    /// The text with everything that would steer a terminal written out, such as `\u{1B}`.
    var visible: String {
        guard self.unicodeScalars.contains(where: \.steersTerminal) else { return self }
        var text = ""
        for scalar in self.unicodeScalars {
            if scalar.steersTerminal {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// How many columns of a terminal the text takes.
    var columnCount: Int {
        self.utf8.count == self.unicodeScalars.count ? self.utf8.count : self.reduce(0) { $0 + $1.columnCount }
    }

    /// The text, or as much of it as fits into `columnCountMax` columns with `…` at its end.
    func cut(to columnCountMax: Int) -> String {
        guard self.columnCount > columnCountMax else { return self }
        var text = ""
        var columnCount = 0
        for character in self {
            guard columnCount + character.columnCount < columnCountMax else { break }
            text.append(character)
            columnCount += character.columnCount
        }
        return text + "…"
    }
}

extension Character {
    /// Two for what East Asian scripts and emoji draw wide, one for the rest, as Unicode's Annex 11 has it in the main.
    fileprivate var columnCount: Int {
        guard let first = self.unicodeScalars.first else { return 0 }
        switch first.value {
        case ..<0x300: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default:
            return first.properties.isEmojiPresentation ? 2 : 1
        }
    }
}
