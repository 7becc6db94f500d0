// How a query was answered, for people who tune it.

/// The plan that answered a query, what was expected of it, and what came of it.
public struct QueryExplanation: Hashable, Sendable {
    /// A way of finding the devices of a query.
    public enum Plan: String, Hashable, Sendable, CaseIterable {
        /// Walks an index that lies in the order asked for, and asks each device about the rest of the filter.
        case orderedWalk = "ordered walk"
        /// Takes the values of the first sort key in order, and lists the devices of each.
        case groupedWalk = "grouped walk"
        /// As an ordered walk, along the partial indexes of the values that the filter names, all at once.
        case mergedWalk = "merged walk"
        /// Takes the devices that have a value, from the value's own list, and sorts or counts those that match.
        case postings = "postings"
        /// Intersects the sets of devices of several values as bitmaps.
        case bitmaps = "bitmaps"
        /// Takes a range of an ordered index, and sorts or counts those that match.
        case rangeScan = "range scan"
        /// Takes a range of the partial index of each of some values, and sorts or counts those that match.
        case partialRanges = "partial range scan"
        /// Looks up devices that the filter names one by one.
        case lookup = "lookup"
        /// Asks every device.
        case scan = "scan"
        /// Reads counts that the indexes keep.
        case indexCounts = "index counts"
        /// The filter says by itself that nothing matches.
        case nothing = "nothing"
    }

    public var plan: Plan
    /// What is done, one line a step, in order.
    public var steps: [String]
    /// Devices that the plan was expected to look at, and those of them expected to match.
    public var estimatedCandidateCount: Int64
    public var estimatedMatchCount: Int64
    /// Devices that it looked at, and how many of them it found to match.
    public var candidateCount: Int64
    public var matchCount: Int64
    /// The planner's measure of the work, in nanoseconds.
    public var estimatedNanoseconds: Int64
    /// From the parsed query to the row numbers of the answer, waiting between slices included, in nanoseconds.
    public var elapsedNanoseconds: Int64
    /// In how many holds of the index it was done; 1 unless it was long.
    public var sliceCount: Int64

    public init(
        plan: Plan,
        steps: [String],
        estimatedCandidateCount: Int64,
        estimatedMatchCount: Int64,
        candidateCount: Int64,
        matchCount: Int64,
        estimatedNanoseconds: Int64,
        elapsedNanoseconds: Int64,
        sliceCount: Int64
    ) {
        self.plan = plan
        self.steps = steps
        self.estimatedCandidateCount = estimatedCandidateCount
        self.estimatedMatchCount = estimatedMatchCount
        self.candidateCount = candidateCount
        self.matchCount = matchCount
        self.estimatedNanoseconds = estimatedNanoseconds
        self.elapsedNanoseconds = elapsedNanoseconds
        self.sliceCount = sliceCount
    }
}
