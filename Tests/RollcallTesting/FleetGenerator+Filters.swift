// Filter trees over the values that a fleet has.

package import DeviceModel

extension FleetGenerator {
    private static let columns: [FilterField] = [
        .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .lastSeen, .releaseID,
        .releaseVersion, .releaseRevision, .cohortID, .cohortSlug, .cohortName, .etag,
    ]

    /// The longest operand of a tree of several parts in bytes, so that no text is longer than a filter may be.
    private static let operandByteCountMax = 100

    /// A tree of up to four levels, with two or three parts where it branches.
    ///
    /// Most operands are values of one device, compared so that it matches: as a rule neither everything nor nothing does.
    package mutating func expression() -> FilterExpression {
        let device = self.oracle.entries.isEmpty ? nil : self.random.pick(self.oracle.entries)
        let depth = Int.random(in: 1...4, using: &self.random)
        return depth == 1 ? self.restriction(device, byteCountMax: .max) : self.expression(depth: depth, device)
    }

    private mutating func expression(depth: Int, _ device: NaiveOracle.Entry?) -> FilterExpression {
        guard depth > 1, !self.random.oneIn(5) else {
            return self.restriction(device, byteCountMax: Self.operandByteCountMax)
        }
        let kind = Int.random(in: 0..<5, using: &self.random)
        if kind == 0 { return .not(self.expression(depth: depth - 1, device)) }
        let parts = (0..<Int.random(in: 2...3, using: &self.random)).map { _ in
            self.expression(depth: depth - 1, device)
        }
        return kind < 3 ? .all(parts) : .any(parts)
    }

    /// One comparison, or the question whether there is a value.
    private mutating func restriction(_ device: NaiveOracle.Entry?, byteCountMax: Int) -> FilterExpression {
        let field =
            self.random.oneIn(2) ? self.random.pick(Self.columns) : .attribute(self.random.pick(self.attributeKeys))
        if self.random.oneIn(8) { return .presence(field) }
        let isOfDevice = !self.random.oneIn(3)
        let other = self.oracle.entries.isEmpty ? nil : self.random.pick(self.oracle.entries)
        let value = (isOfDevice ? device : other).flatMap { self.oracle.value(field, of: $0) }
        let operand = value.map { self.operand($0, byteCountMax: byteCountMax) } ?? self.operand(of: field)
        var operators: [FilterOperator] =
            isOfDevice && !self.random.oneIn(4)
            ? [.equal, .lessOrEqual, .greaterOrEqual] : [.notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual]
        if case .pattern = operand { operators = [.equal, .equal, .notEqual] }
        if case .bool = operand { operators = [.equal, .equal, .notEqual] }
        if field.valueType == .symbol { operators = [.equal, .notEqual] }
        return .comparison(field, self.random.pick(operators), operand)
    }

    /// An operand that is a device's value, or beside it.
    private mutating func operand(_ value: NaiveOracle.Value, byteCountMax: Int) -> FilterOperand {
        switch value {
        case .integer(let number):
            if self.random.oneIn(3) { return .float(Double(number) + self.random.pick([0, 0.5, -0.5])) }
            return .integer(self.random.oneIn(6) ? number &+ self.random.pick([-1, 1]) : number)
        case .float(let number):
            let beside = self.random.pick([number.nextUp, number.nextDown, -number])
            return .float(self.random.oneIn(6) && beside.isFinite ? beside : number)
        case .bool(let value):
            return .bool(value)
        case .time(let time):
            return .time(
                self.random.oneIn(6) ? time.advanced(byMicroseconds: self.random.pick([-1, 1, 3_600_000_000])) : time)
        case .symbol(let text):
            let zeroed = text.split(separator: "-").joined(separator: "-0")
            return .text(self.random.oneIn(4) ? self.random.pick([text.uppercased(), zeroed, text + "0", ""]) : text)
        case .text(let text):
            let shown = Self.beginning(of: text, byteCountMax: byteCountMax)
            if self.random.oneIn(3) { return .pattern(self.pattern(from: shown)) }
            return .text(
                self.random.oneIn(6)
                    ? self.random.pick([shown + "a", String(shown.dropLast()), shown.uppercased()]) : shown)
        }
    }

    /// An operand for a field that the device at hand has no value of.
    private mutating func operand(of field: FilterField) -> FilterOperand {
        switch field.valueType {
        case .integer:
            self.random.oneIn(3)
                ? .float(self.random.pick(Self.floats)) : .integer(self.random.pick(Self.integers + [40, 50]))
        case .float: .float(self.random.pick(Self.floats))
        case .bool: .bool(self.random.oneIn(2))
        case .text:
            self.random.oneIn(4) ? .pattern(self.pattern(from: "")) : .text(self.random.pick(["", "b", "north"]))
        case .symbol: .text(self.random.pick(["", "01020304-1"]))
        case .time: .time(self.time())
        }
    }

    /// Pieces of a text between stars; now and then others than the text has.
    private mutating func pattern(from text: String) -> TextPattern {
        var scalars = Array(text.unicodeScalars)
        if self.random.oneIn(8) { scalars.shuffle(using: &self.random) }
        let cuts = (0..<2 * Int.random(in: 1...2, using: &self.random))
            .map { _ in self.random.oneIn(4) ? 0 : Int.random(in: 0...scalars.count, using: &self.random) }.sorted()
        let edges = [0] + cuts + [scalars.count]
        let pieces = stride(from: 0, to: edges.count, by: 2).map { index in
            Array(scalars[edges[index]..<edges[index + 1]].map(String.init).joined().utf8)
        }
        return TextPattern(pieces: self.random.oneIn(3) ? Array(pieces.dropLast()) + [[]] : pieces)
    }

    private static func beginning(of text: String, byteCountMax: Int) -> String {
        guard text.utf8.count > byteCountMax else { return text }
        var byteCount = 0
        return text.unicodeScalars.reduce(into: "") { beginning, scalar in
            byteCount += UTF8.width(scalar)
            if byteCount <= byteCountMax { beginning.unicodeScalars.append(scalar) }
        }
    }
}
