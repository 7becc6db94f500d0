// Sorting the few: what sorts many would only be more to fetch.

extension Array {
    /// Sorts in place; equal elements keep their order. - Complexity: O(n²).
    @inline(__always)
    mutating func insertionSort(by precedes: (Element, Element) -> Bool) {
        for place in self.indices.dropFirst() {
            var target = place
            while target > 0, precedes(self[target], self[target - 1]) {
                self.swapAt(target, target - 1)
                target -= 1
            }
        }
    }
}
