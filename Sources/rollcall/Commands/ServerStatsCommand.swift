internal import ArgumentParser
internal import RollcallClient

/// `rollcall server stats`
struct ServerStatsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what the daemon has counted and measured: calls, writer, store, index, watchers, process.",
        discussion: """
            Counts are since the daemon's start. With --watch they are of the time since the line or picture before, of \
            which the first is of the time since the command's start; ends with Ctrl-C.

              rollcall server stats --output json
              rollcall server stats --watch
              rollcall server stats --watch 10 --output ndjson

            A call's time is from the read that brought it to the write of its answer; a stream's is its whole life. \
            Quantiles are at most a sixteenth too high.
            """
    )

    @Option(
        defaultAsFlag: Seconds(whole: 2),
        help: ArgumentHelp("Go on, with a sample every <seconds>. Without a number: 2.", valueName: "seconds")
    )
    var watch: Seconds? = nil

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.global.output == .csv {
            throw ValidationError("Statistics are no table of one kind: --output takes table, json or ndjson here.")
        }
        if self.watch != nil, self.global.output == .json {
            throw ValidationError("With --watch there is one sample after another: --output takes table or ndjson.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        guard let pause = self.watch?.duration else {
            return try printer.statistics(StatsReport(try await client.serverStats()))
        }
        var former = try await client.serverStats()
        while true {
            try await Task.sleep(for: pause)
            let stats: ServerStats
            do throws(RollcallError) {
                stats = try await client.serverStats()
            } catch {
                guard error.code == .unavailable || error.isConnectionFailure else { throw error }
                printer.note("\(error.message) Trying again.")
                continue
            }
            try printer.sample(StatsReport(stats, since: former))
            former = stats
        }
    }
}
