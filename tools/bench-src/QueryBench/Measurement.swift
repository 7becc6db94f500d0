// Answering parameter sets, and measuring what that takes.

internal import DeviceQuery
internal import Glibc

/// Runs parameter sets of a query against an index.
struct Measurement: ~Copyable {
    private static let roundsMax = 255
    private static let otherWordCount = 1 << 18

    private let other: UnsafeMutablePointer<UInt64>

    init() {
        self.other = .allocate(capacity: Self.otherWordCount)
        self.other.initialize(repeating: 0, count: Self.otherWordCount)
    }

    deinit {
        self.other.deallocate()
    }

    /// Every answer in full.
    func answers(_ sets: [any BenchQuery], _ index: borrowing RegistryIndex) throws -> String {
        var answers: [String] = []
        for query in sets { answers.append("[" + (try query.items(index)).joined(separator: ", ") + "]") }
        return "{\"answers\": \(Self.json(answers))}"
    }

    /// Sets are run in turn, all of them each round. Indexes that they want are built between the rounds, as the daemon builds them.
    func times(_ sets: [any BenchQuery], _ index: inout RegistryIndex, seconds: Double) throws -> String {
        var times = sets.map { _ in [UInt64]() }
        var sums = sets.map { _ in Int64(0) }
        let reading = Clock.readingNanoseconds
        let end = Clock.now + UInt64(seconds * 1e9)
        var builtCount = 0
        repeat {
            try self.runRound(sets, index, reading, &times, &sums)
            if let wanted = index.takeWanted(in: DeviceFile.project) {
                while !index.buildStep(wanted) {}
                builtCount += 1
            }
        } while times[0].count < Self.roundsMax && Clock.now < end
        let sorted = times.map { $0.sorted() }
        return """
            {"best": \(Self.json(sorted.map { $0[0] })), "median": \(Self.json(sorted.map { $0[$0.count / 2] })), \
            "sums": \(Self.json(sums)), "rounds": \(times[0].count), "built": \(builtCount)}
            """
    }

    /// Before each set, 2 MiB of something else are touched: in a server that has other things to do, a query finds the processor's
    /// own caches full of those. What reading the clock takes is left out.
    @inline(never)
    private func runRound(
        _ sets: [any BenchQuery], _ index: borrowing RegistryIndex, _ reading: UInt64, _ times: inout [[UInt64]],
        _ sums: inout [Int64]
    ) throws {
        for (place, query) in sets.enumerated() {
            self.fillCaches()
            let began = Clock.now
            let sum = try query.sum(index)
            let took = Clock.now - began
            sums[place] = sum
            times[place].append(took > reading ? took - reading : 0)
        }
    }

    /// What each answer takes from the allocator at most, in bytes.
    func peaks(_ sets: [any BenchQuery], _ index: borrowing RegistryIndex) throws -> String {
        let heap = try Heap()
        let peaks = try sets.map { query in
            heap.start()
            _ = try query.sum(index)
            return heap.peakByteCount()
        }
        return "{\"peak_bytes\": \(Self.json(peaks))}"
    }

    private func fillCaches() {
        for word in stride(from: 0, to: Self.otherWordCount, by: 8) {
            self.other[word] &+= 1
        }
    }

    private static func json(_ values: [some CustomStringConvertible]) -> String {
        "[" + values.map(\.description).joined(separator: ", ") + "]"
    }
}

enum Clock {
    /// Nanoseconds of the monotonic clock.
    @inline(__always)
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What two readings with nothing between them differ by.
    static var readingNanoseconds: UInt64 {
        let readings = (0..<255).map { _ in
            let began = Self.now
            return Self.now - began
        }
        return readings.sorted()[readings.count / 2]
    }
}

/// What is allocated between two moments, told by a library that the bench loads before this program: see heap.c.
struct Heap {
    private typealias Start = @convention(c) () -> Void
    private typealias Peak = @convention(c) () -> Int

    private let startCounting: Start
    private let peak: Peak

    init() throws(BenchError) {
        guard let start = dlsym(nil, "heap_start"), let peak = dlsym(nil, "heap_peak_bytes") else {
            throw BenchError("the library that counts allocations is not loaded")
        }
        self.startCounting = unsafeBitCast(start, to: Start.self)
        self.peak = unsafeBitCast(peak, to: Peak.self)
    }

    func start() {
        self.startCounting()
    }

    func peakByteCount() -> Int {
        self.peak()
    }
}
