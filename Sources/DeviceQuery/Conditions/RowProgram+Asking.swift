// Asking rows: one after another, or one test of many.

internal import DeviceModel

extension RowProgram {
    // MARK: Asking many

    /// Leaves of `count` rows those that pass, in their order, and tells how many they are.
    ///
    /// Where every test must hold, one test after another is asked of all rows that are left.
    func filter(_ rows: UnsafeMutablePointer<UInt32>, count: Int, _ fleet: UnsafePointer<Fleet>) -> Int {
        if self.isTrivial { return count }
        guard self.isConjunction else {
            var kept = 0
            for index in 0..<count where self.passes(rows[index], fleet) {
                rows[kept] = rows[index]
                kept += 1
            }
            return kept
        }
        var kept = count
        var next = self.entry
        while next >= 0, kept > 0 {
            let step = self.steps.base + Int(next)
            let wanted = step.pointee.whenTrue != Self.reject
            kept = self.filter(step, wanted, rows, kept, fleet)
            next = wanted ? step.pointee.whenTrue : step.pointee.whenFalse
        }
        return kept
    }

    private func filter(
        _ step: UnsafePointer<Step>, _ wanted: Bool, _ rows: UnsafeMutablePointer<UInt32>, _ count: Int,
        _ fleet: UnsafePointer<Fleet>
    ) -> Int {
        var kept = 0
        @inline(__always)
        func keep(where holds: (UInt32) -> Bool) {
            for index in 0..<count {
                let row = rows[index]
                rows[kept] = row
                kept += holds(row) == wanted ? 1 : 0
            }
        }
        switch step.pointee.kind {
        case .number where step.pointee.field == NumberField.lastSeen.rawValue:
            let seen = fleet.pointee.seen.base
            let (lower, upper) = (step.pointee.lower, step.pointee.upper)
            keep { seen[Int($0)] >= lower && seen[Int($0)] <= upper }
        case .narrow:
            guard let column = Self.narrowColumn(step.pointee.field, fleet) else { break }
            let codes = self.codes.base + Int(step.pointee.start)
            let (first, second) = (UInt16(codes[0]), UInt16(codes[1]))
            let (third, fourth) = (UInt16(codes[2]), UInt16(codes[3]))
            if step.pointee.count == 1 {
                keep { column[Int($0)] == first }
            } else if step.pointee.count == 2 {
                keep {
                    let code = column[Int($0)]
                    return Self.either(code == first, code == second)
                }
            } else {
                keep {
                    let code = column[Int($0)]
                    return Self.either(
                        Self.either(code == first, code == second), Self.either(code == third, code == fourth))
                }
            }
        case .code where step.pointee.field == UInt8(DictionaryField.owner.rawValue) && step.pointee.count == 1:
            let owners = fleet.pointee.codes.owner.base
            let code = self.codes[Int(step.pointee.start)]
            keep { owners[Int($0)] == code }
        case .sets where step.pointee.count == 1:
            let set = self.sets[Int(step.pointee.start)]
            keep { set.contains($0) }
        default:
            keep { self.holds(step, $0, fleet) }
        }
        return kept
    }

    // MARK: Asking one

    @inline(__always)
    func passes(_ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> Bool {
        var next = self.entry
        while next >= 0 {
            let step = self.steps.base + Int(next)
            next = self.holds(step, row, fleet) ? step.pointee.whenTrue : step.pointee.whenFalse
        }
        return next == Self.accept
    }

    @inline(__always)
    private func holds(_ step: UnsafePointer<Step>, _ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> Bool {
        switch step.pointee.kind {
        case .narrow:
            guard let column = Self.narrowColumn(step.pointee.field, fleet) else { return false }
            let code = UInt32(column[Int(row)])
            let codes = self.codes.base + Int(step.pointee.start)
            for index in 0..<Self.narrowCodeCount where codes[index] == code { return true }
            return false
        case .sets:
            let sets = self.sets.base + Int(step.pointee.start)
            for index in 0..<Int(step.pointee.count) where sets[index].contains(row) { return true }
            return false
        case .code:
            let code = Self.code(step.pointee.field, row, fleet)
            let codes = self.codes.base + Int(step.pointee.start)
            for index in 0..<Int(step.pointee.count) where codes[index] == code { return true }
            return false
        case .codeTable:
            let code = Self.code(step.pointee.field, row, fleet)
            let table = self.codes.base + Int(step.pointee.start)
            let capacity = Int(step.pointee.count)
            var place = Self.place(code, capacity)
            while table[place] != .max {
                if table[place] == code { return true }
                place = (place + 1) & (capacity - 1)
            }
            return false
        case .number:
            guard step.pointee.field != NumberField.lastSeen.rawValue else {
                let value = fleet.pointee.seen.base[Int(row)]
                return value >= step.pointee.lower && value <= step.pointee.upper
            }
            return self.holdsNumber(step, row, fleet)
        case .released:
            return fleet.pointee.codes.release.base[Int(row)] != CodeColumns.none
        case .text, .rows, .present, .range, .attributeText:
            return self.holdsElsewhere(step, row, fleet)
        }
    }

    @inline(__always)
    private static func narrowColumn(_ field: UInt8, _ fleet: UnsafePointer<Fleet>) -> UnsafePointer<UInt16>? {
        DictionaryField(rawValue: Int(field)).flatMap { fleet.pointee.codes.narrow($0) }
    }

    /// Whether one of them is true, found without a decision.
    @inline(__always)
    private static func either(_ left: Bool, _ right: Bool) -> Bool {
        (left ? 1 : 0) | (right ? 1 : 0) as UInt8 != 0
    }

    @inline(__always)
    private static func code(_ field: UInt8, _ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> UInt32 {
        field == UInt8(DictionaryField.owner.rawValue)
            ? fleet.pointee.codes.owner.base[Int(row)]
            : fleet.pointee.code(DictionaryField(rawValue: Int(field)) ?? .owner, of: row)
    }

    private func holdsNumber(_ step: UnsafePointer<Step>, _ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> Bool {
        guard let field = NumberField(rawValue: step.pointee.field) else {
            preconditionFailure("a step has the raw value of a field")
        }
        let value = fleet.pointee.number(field, of: fleet.pointee.rows.base + Int(row))
        return value >= step.pointee.lower && value <= step.pointee.upper
    }

    /// What lies neither in the row nor in a set.
    private func holdsElsewhere(_ step: UnsafePointer<Step>, _ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> Bool {
        let start = Int(step.pointee.start)
        switch step.pointee.kind {
        case .text:
            guard let field = TextField(rawValue: step.pointee.field) else {
                preconditionFailure("a step has the raw value of a field")
            }
            let text = fleet.pointee.text(field, of: fleet.pointee.rows.base + Int(row))
            return text.map { self.matches[start].holds($0) } ?? false
        case .rows:
            let rows = UnsafeBufferPointer(start: self.codes.base + start, count: Int(step.pointee.count))
            let index = lowerBound(row, rows)
            return index < rows.count && rows[index] == row
        case .present:
            return fleet.pointee.slot(of: start, row: row) != nil
        case .range:
            guard let slot = fleet.pointee.slot(of: start, row: row) else { return false }
            let value = fleet.pointee.columns[start].pointee.sortValue(slot)
            return value >= step.pointee.lower && value <= step.pointee.upper
        case .attributeText:
            guard let slot = fleet.pointee.slot(of: start, row: row) else { return false }
            return self.matches[Int(step.pointee.count)].holds(fleet.pointee.columns[start].pointee.text(slot))
        case .narrow, .code, .codeTable, .sets, .released, .number:
            preconditionFailure("the step is answered from the row or a set")
        }
    }
}
