// What a misspelled name was probably meant to be.

extension String {
    /// The name that takes the fewest slips to become this one, the first of several as near; nil where there are none.
    package func nearest(of names: [String]) -> (name: String, distance: Int)? {
        names.map { (name: $0, distance: self.editDistance(to: $0)) }.min { $0.distance < $1.distance }
    }

    /// How many letters have to be put in, taken out, replaced or swapped with their neighbour to get `other`.
    ///
    /// - Complexity: O(count of letters × count of the other's).
    private func editDistance(to other: String) -> Int {
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
