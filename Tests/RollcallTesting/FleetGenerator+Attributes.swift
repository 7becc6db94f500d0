// The attributes of a fleet: keys of every type, and values that are easily taken for one another.

package import DeviceModel

extension FleetGenerator {
    /// An attribute key of every fleet.
    package struct AttributeSample: Sendable {
        package let key: String
        package let type: DataType
        /// One new device in so many has a value; 0 for a key that no device ever has.
        package let scarcity: Int
        package let values: [AttributeValue]

        init(_ key: String, _ type: DataType, oneIn scarcity: Int, _ values: [AttributeValue]) {
            self.key = key
            self.type = type
            self.scarcity = scarcity
            self.values = values
        }
    }

    package static let attributes = [
        AttributeSample("Battery level", .int, oneIn: 1, (0...100).map(AttributeValue.int)),
        AttributeSample("zone", .string, oneIn: 2, ["north", "south", "North", ""].map(AttributeValue.string)),
        AttributeSample("Uptime", .float, oneIn: 2, (0...40).map { .float(Double($0) / 4) }),
        AttributeSample("docked", .bool, oneIn: 2, [.bool(false), .bool(true)]),
        AttributeSample("signal/dBm", .int, oneIn: 3, Self.integers.map(AttributeValue.int)),
        AttributeSample("temperature", .float, oneIn: 3, Self.floats.map(AttributeValue.float)),
        AttributeSample("NOTE", .string, oneIn: 3, Self.texts.map(AttributeValue.string)),
        AttributeSample("rare:code", .string, oneIn: 40, ["E1", "E10", "E2"].map(AttributeValue.string)),
        AttributeSample("rare:flag", .bool, oneIn: 60, [.bool(true)]),
        AttributeSample("Never used", .int, oneIn: 0, []),
    ]

    /// Numbers of both signs, the ends of the range, and neighbours that are one number as a `Double`.
    static let integers: [Int64] = [
        -120, -90, -90, -60, -1, 0, 0, 1, 2, 10, .min, .min + 1, .max, .max - 1, 1 << 53, 1 << 53 + 1, -(1 << 53) - 1,
    ]

    /// Numbers of both signs and zeros, whole ones, neighbours, and the ends of the range.
    static let floats: [Double] = [
        -40, -0.5, -0.0, 0.0, 0.0, 0.1, 0.1.nextUp, 1, 1, 2, 20.25, 0x1p53, 0x1p63, -0x1p63, 1e300, -1e300,
        .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
    ]

    /// Texts that differ late, by case, by length or in spelling alone, or that a filter has other uses for.
    static let texts: [String] = [
        "", "a", "A", "eightchr", "eightchr2", "eightchrs", "the same twenty bytes at first, 1",
        "the same twenty bytes at first, 2", "the same twenty bytes at first, 2 and more",
        String(repeating: "x", count: 4_096), String(repeating: "x", count: 4_095) + "y",
        String(repeating: "long ", count: 60), "Ångström", "A\u{30A}ngstro\u{308}m", "日本語", "日本", "🙂", "\u{7F}",
        "a*b", "*", "say \"hi\"", "it's", "back\\slash", "line\nbreak", "\ttab", " spaces ", "AND", "NOT x", "true",
        "-5",
        "5", "1e3", "(a", "a,b", "2019-01-19T05:01:13Z", "50 % [off]?",
    ]

    /// A value that a device may have under a key.
    mutating func value(of key: AttributeKeyRecord) -> AttributeValue {
        if let sample = Self.attributes.first(where: { $0.key == key.metric.stringKey }), !sample.values.isEmpty {
            return self.random.pick(sample.values)
        }
        switch key.metric.dataType {
        case .int: return .int(self.random.pick(Self.integers))
        case .float: return .float(self.random.pick(Self.floats))
        case .bool: return .bool(self.random.oneIn(2))
        case .string: return .string(self.random.pick(Self.texts))
        }
    }

    /// What a device begins with.
    mutating func firstAttributes() -> [AttributeChange] {
        var changes: [AttributeChange] = []
        for (key, sample) in zip(self.attributeKeys, Self.attributes) where sample.scarcity > 0 {
            guard self.random.oneIn(sample.scarcity) else { continue }
            changes.append(AttributeChange(key: key.id, state: Transition(before: nil, after: self.state(key, nil))))
        }
        return changes
    }

    /// Some of a device's attributes set or replaced and, if `unsets`, unset, in the order of a request.
    mutating func attributeChanges(of entry: NaiveOracle.Entry, unsets: Bool) -> [AttributeChange] {
        let keys = self.usedKeys.shuffled(using: &self.random).prefix(Int.random(in: 1...4, using: &self.random))
        return keys.compactMap { key in
            let old = entry.attributes[key.id]
            if unsets, self.random.oneIn(3) {
                return old.map { AttributeChange(key: key.id, state: Transition(before: $0, after: nil)) }
            }
            let state = self.state(key, old)
            return state.value == old?.value
                ? nil : AttributeChange(key: key.id, state: Transition(before: old, after: state))
        }
    }

    private var usedKeys: [AttributeKeyRecord] {
        let unused = Self.attributes.filter { $0.scarcity == 0 }.map(\.key)
        return self.attributeKeys.filter { !unused.contains($0.metric.stringKey) }
    }

    private mutating func state(_ key: AttributeKeyRecord, _ old: AttributeState?) -> AttributeState {
        AttributeState(
            value: self.value(of: key), time: Swift.max(self.now, old?.time ?? .min),
            createdDate: old?.createdDate ?? self.now, updatedDate: Swift.max(self.now, old?.updatedDate ?? .min)
        )
    }
}
