// The text format that Prometheus scrapes, version 0.0.4.

internal import DeviceModel

/// Writes one metric family after another.
///
/// Follows https://prometheus.io/docs/instrumenting/exposition_formats/: the samples of a family stand together, below its HELP
/// and TYPE lines.
struct PrometheusText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""

    /// Begins a family; its samples follow.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(help.escaped(quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// A family with one sample and no labels.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: Int64) {
        self.family(name, kind, help)
        self.sample(name, value: "\(value)")
    }

    mutating func sample(_ name: String, _ labels: Labels = [], value: String) {
        self.text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\($0.value.escaped(quotes: true))\"" }
            self.text += "{\(pairs.joined(separator: ","))}"
        }
        self.text += " \(value)\n"
    }

    /// The samples of a histogram, each bucket with those below it.
    ///
    /// - Parameters:
    ///   - bounds: Where buckets end: powers of two, at which counts are exact.
    ///   - unit: What the distribution's values are divided by.
    mutating func histogram(
        _ name: String, _ distribution: Distribution, _ labels: Labels = [], bounds: [Int64], unit: Double
    ) {
        for bound in bounds {
            let count = distribution.count(through: bound)
            self.sample("\(name)_bucket", labels + [("le", "\(Double(bound) / unit)")], value: "\(count)")
        }
        self.sample("\(name)_bucket", labels + [("le", "+Inf")], value: "\(distribution.count)")
        self.sample("\(name)_sum", labels, value: "\(Double(distribution.sum) / unit)")
        self.sample("\(name)_count", labels, value: "\(distribution.count)")
    }
}

extension String {
    fileprivate func escaped(quotes: Bool) -> String {
        let text = self.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? text.replacing("\"", with: "\\\"") : text
    }
}
