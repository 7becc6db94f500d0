// Which named requests have succeeded, for as long as the contract promises to know them.

internal import DequeModule
internal import DeviceModel

/// The successes of requests with an id, by age.
///
/// - Complexity: constant time for each operation, amortised.
struct RequestMemory {
    struct Entry {
        let bodyDigest: UInt64
        let time: Timestamp
        let subject: Int64
    }

    private var entries: [RememberedRequest.Key: Entry] = [:]
    private var byAge: Deque<RememberedRequest.Key> = []
    private let countMax: Int
    private let ageMicrosecondsMax: Int64

    init(limits: Limits) {
        self.countMax = limits.requestIDCountMax
        self.ageMicrosecondsMax = limits.requestIDAgeMicrosecondsMax
    }

    /// The first outcome under `key`, unless it is too old at `now`.
    func entry(for key: RememberedRequest.Key, now: Timestamp) -> Entry? {
        guard let entry = self.entries[key], !self.isExpired(entry, now: now) else { return nil }
        return entry
    }

    /// Adds a success and forgets those that are too old or too many.
    mutating func remember(_ request: RememberedRequest, now: Timestamp) {
        let entry = Entry(bodyDigest: request.bodyDigest, time: request.time, subject: request.subject)
        if self.entries.updateValue(entry, forKey: request.key) != nil {
            // An expired one of the same name still stands in the order of age.
            self.byAge.removeAll { $0 == request.key }
        }
        self.byAge.append(request.key)
        while let oldest = self.byAge.first, let entry = self.entries[oldest],
            self.byAge.count > self.countMax || self.isExpired(entry, now: now)
        {
            self.byAge.removeFirst()
            self.entries[oldest] = nil
        }
    }

    private func isExpired(_ entry: Entry, now: Timestamp) -> Bool {
        now.microseconds - entry.time.microseconds > self.ageMicrosecondsMax
    }
}
