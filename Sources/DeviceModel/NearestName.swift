// What a misspelled name was probably meant to be.

extension String {
    /// The name that takes the fewest slips to become this one, the first of several as near; nil where there are none.
    ///
    /// - Parameter effortMax: how many pairs of letters are compared, about, before the names that are left go unread.
    /// - Complexity: O(count of letters × count of all names' letters), and at most O(`effortMax`).
    package func nearest(of names: [String], effortMax: Int = .max) -> (name: String, distance: Int)? {
        var measure = EditDistance(of: self, effort: effortMax)
        var best: (name: String, distance: Int)?
        for name in names {
            if let distance = measure.distance(to: name, below: best?.distance ?? .max) {
                best = (name, distance)
            }
            if measure.effort <= 0 { break }
        }
        return best
    }
}

/// How many letters have to be put in, taken out, replaced or swapped with their neighbour to get from one word to
/// another.
///
/// A letter is a byte, for names are ASCII.
private struct EditDistance {
    private let word: [UInt8]
    /// How many pairs of letters may still be compared.
    private(set) var effort: Int
    /// Three rows of the table of distances between beginnings of the words, used in turn.
    private var rows: [Int] = []

    init(of word: String, effort: Int) {
        self.word = Array(word.utf8)
        self.effort = effort
    }

    /// Nil where it is not below `bound`.
    mutating func distance(to name: String, below bound: Int) -> Int? {
        let name = Array(name.utf8)
        self.effort -= 1
        guard abs(self.word.count - name.count) < bound else { return nil }
        // What both begin and end with takes no slip.
        let shorter = min(self.word.count, name.count)
        var first = 0
        while first < shorter, self.word[first] == name[first] { first += 1 }
        var end = 0
        while end < shorter - first, self.word[self.word.count - 1 - end] == name[name.count - 1 - end] { end += 1 }
        let distance = self.distance(
            first..<(self.word.count - end), to: name[first..<(name.count - end)], below: bound)
        return distance < bound ? distance : nil
    }

    /// Any number from `bound` on where it is not below.
    private mutating func distance(_ range: Range<Int>, to name: ArraySlice<UInt8>, below bound: Int) -> Int {
        let width = name.count + 1
        if self.rows.count < 3 * width {
            self.rows = Array(repeating: 0, count: 3 * width)
        }
        for column in 0..<width { self.rows[column] = column }
        var (beforePrevious, previous, current) = (2 * width, 0, width)
        for (row, index) in range.enumerated() {
            self.effort -= name.count
            let letter = self.word[index]
            var distance = row + 1
            var least = distance
            self.rows[current] = distance
            for column in 1..<width {
                let other = name[name.startIndex + column - 1]
                distance = min(distance, self.rows[previous + column]) + 1
                distance = min(distance, self.rows[previous + column - 1] + (letter == other ? 0 : 1))
                if row > 0, column > 1, self.word[index - 1] == other, name[name.startIndex + column - 2] == letter {
                    distance = min(distance, self.rows[beforePrevious + column - 2] + 1)
                }
                self.rows[current + column] = distance
                least = min(least, distance)
            }
            // The least of a row is never below that of the row before it.
            guard least < bound else { return bound }
            (beforePrevious, previous, current) = (previous, current, beforePrevious)
        }
        return self.rows[previous + width - 1]
    }
}
