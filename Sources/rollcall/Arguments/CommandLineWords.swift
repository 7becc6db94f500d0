// What the parser does not do of itself: global options before the command, and a suggestion for a misspelled command.

internal import ArgumentParser
internal import DeviceModel

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
            // Two slips at most, and fewer than there are letters: beyond that a guess is no help.
            if let nearest = word.nearest(of: names), nearest.distance <= min(2, word.count - 1) {
                return "There is no command '\(word)'. Did you mean '\(nearest.name)'?"
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
