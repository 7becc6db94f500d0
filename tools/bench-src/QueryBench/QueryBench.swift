// Answers the bench's queries from the engine itself, in process: no socket, no message, no lock.

internal import DeviceModel
internal import DeviceQuery
internal import Glibc

/// A line in, a line of JSON out; the C programs beside it take the first two commands too.
///
///     answer NAME         {"answers": [[number or [group, count], …] for each parameter set]}
///     time NAME SECONDS   {"best": [ns of each set], "median": [the same], "sums": [of each set's answer], "rounds": n}
///     memory NAME         {"peak_bytes": [what an answer took from the allocator, for each set]}
///     update              {kind of change: {"median": ns, "p99": ns}}
@main
struct QueryBench {
    static func main() {
        do {
            guard CommandLine.arguments.count == 3 else { throw BenchError("usage: QueryBench DEVICES QUERIES") }
            var index = try DeviceFile(CommandLine.arguments[1]).index()
            let queries = try QueryFile(CommandLine.arguments[2], index)
            let measurement = Measurement()
            try Self.say("{}")
            while let line = readLine() {
                let words = line.split(separator: " ").map(String.init)
                switch (words.first, words.count) {
                case ("answer", 2): try Self.say(measurement.answers(queries.sets(words[1]), index))
                case ("time", 3):
                    let seconds = Double(words[2]) ?? 0
                    try Self.say(measurement.times(queries.sets(words[1]), &index, seconds: seconds))
                case ("memory", 2): try Self.say(measurement.peaks(queries.sets(words[1]), index))
                case ("update", 1):
                    var updates = try Updates(index)
                    try Self.say(updates.times(&index))
                default: throw BenchError("'\(line)' is not a command")
                }
            }
        } catch {
            Self.write("bench: \(error)\n", to: STDERR_FILENO)
            exit(1)
        }
    }

    private static func say(_ json: String) throws(BenchError) {
        guard Self.write(json + "\n", to: STDOUT_FILENO) else { throw BenchError("nobody reads the answers") }
    }

    @discardableResult
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

/// What ends the program, as a sentence.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
