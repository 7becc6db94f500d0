// Numbers with units, as people read them.

internal import RollcallClient

/// Puts quantities into words.
enum Quantity {
    /// Three digits or so: `812`, `12.3`, `1.20`; 0 for what is less.
    static func significant(_ number: Double) -> String {
        let number = max(0, number)
        let scale: Int64 = number >= 99.95 ? 1 : number >= 9.995 ? 10 : 100
        let scaled = Int64((number * Double(scale)).rounded())
        guard scale > 1 else { return String(scaled) }
        let digits = String(scaled % scale)
        let zeros = String(repeating: "0", count: (scale == 10 ? 1 : 2) - digits.count)
        return "\(scaled / scale).\(zeros)\(digits)"
    }

    /// A span in the largest unit that it reaches: `812 ns`, `12.3 µs`.
    static func time(_ nanoseconds: Int64) -> String {
        switch nanoseconds {
        case ..<1_000: "\(nanoseconds) ns"
        case ..<1_000_000: self.significant(Double(nanoseconds) / 1e3) + " µs"
        case ..<1_000_000_000: self.significant(Double(nanoseconds) / 1e6) + " ms"
        default: self.significant(Double(nanoseconds) / 1e9) + " s"
        }
    }

    /// A size in the largest binary unit that it reaches: `512 B`, `1.20 MiB`.
    static func bytes(_ count: Int64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard count >= 1_024 else { return "\(count) B" }
        let step = min(units.count, (Int64.bitWidth - 1 - count.leadingZeroBitCount) / 10)
        return self.significant(Double(count) / Double(Int64(1) << Int64(10 * step))) + " " + units[step - 1]
    }

    /// A long span in its two largest units: `3 h 2 min`.
    static func uptime(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400)
        if days > 0 { return "\(days) d \(hours % 24) h" }
        if hours > 0 { return "\(hours) h \(minutes % 60) min" }
        return minutes > 0 ? "\(minutes) min \(seconds % 60) s" : "\(seconds) s"
    }
}

extension Distribution {
    /// The middle and the tail, in words.
    func summary(_ text: (Int64) -> String) -> String {
        guard !self.buckets.isEmpty else { return "none" }
        return "p50 \(text(self.quantile(0.5))), p99 \(text(self.quantile(0.99))), max \(text(self.max))"
    }
}
