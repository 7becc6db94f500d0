// What to say of a name that is not there.

internal import DeviceModel

extension String {
    /// The end of a sentence about this name, which is none of `names`: the likely one, or all where they are few.
    package func suggestion(among names: some Sequence<String>) -> String {
        let names = Array(names)
        if let name = self.likely(among: names) {
            return "; did you mean '\(name)'?"
        }
        guard !names.isEmpty, names.count <= 12 else { return "." }
        return "; there \(names.count == 1 ? "is" : "are") \(names.joined(separator: ", "))."
    }

    /// A name of which this one is a part, or that takes few slips; nil where a guess is no help.
    private func likely(among names: [String]) -> String? {
        if let nearest = self.nearest(of: names), nearest.distance <= Swift.min(2, self.utf8.count - 1) {
            return nearest.name
        }
        let word = self.lowercased()
        return word.utf8.count >= 3 ? names.first { $0.lowercased().contains(word) } : nil
    }
}
