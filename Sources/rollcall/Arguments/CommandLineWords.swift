// What the parser does not do of itself: global options before the command, and a suggestion for a misspelled command.

internal import ArgumentParser

/// The words of a command line, before they are parsed.
struct CommandLineWords {
    private static let globalOptions = ["--address", "--project", "--timeout", "--output", "-o"]

    let words: [String]

    /// The words with global options that stand before the command moved behind it, where the parser knows them.
    var normalized: [String] {
        var rest = self.words[...]
        var leading: [String] = []
        while let word = rest.first {
            if Self.globalOptions.contains(word), rest.count >= 2 {
                leading += rest.prefix(2)
                rest.removeFirst(2)
            } else if Self.globalOptions.contains(where: { word.hasPrefix($0 + "=") }) {
                leading.append(word)
                rest.removeFirst()
            } else {
                break
            }
        }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return rest[..<end] + leading + rest[end...]
    }

    /// A sentence about the first word that ought to be a command and is none; nil where there is no such word.
    func unknownCommand(of root: any ParsableCommand.Type) -> String? {
        var command = root
        for word in self.normalized {
            let subcommands = Self.subcommands(of: command)
            guard !subcommands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            if let next = subcommands.first(where: { Self.name(of: $0) == word }) {
                command = next
                continue
            }
            let names = subcommands.map(Self.name)
            let nearest = names.min { word.editDistance(to: $0) < word.editDistance(to: $1) }
            // Two slips at most, and fewer than there are letters: beyond that a guess is no help.
            if let nearest, word.editDistance(to: nearest) <= min(2, word.count - 1) {
                return "There is no command '\(word)'. Did you mean '\(nearest)'?"
            }
            return "There is no command '\(word)'; commands are \(names.joined(separator: ", "))."
        }
        return nil
    }

    private static func subcommands(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        command.configuration.subcommands
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }
}

extension String {
    /// How many letters have to be put in, taken out, replaced or swapped with their neighbour to get `other`.
    fileprivate func editDistance(to other: String) -> Int {
        let (source, target) = (Array(self), Array(other))
        var beforePrevious: [Int] = []
        var previous = Array(0...target.count)
        for (row, letter) in source.enumerated() {
            var current = [row + 1]
            for (column, otherLetter) in target.enumerated() {
                var distance = Swift.min(previous[column + 1], current[column]) + 1
                distance = Swift.min(distance, previous[column] + (letter == otherLetter ? 0 : 1))
                if row > 0, column > 0, letter == target[column - 1], source[row - 1] == otherLetter {
                    distance = Swift.min(distance, beforePrevious[column - 1] + 1)
                }
                current.append(distance)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[target.count]
    }
}
