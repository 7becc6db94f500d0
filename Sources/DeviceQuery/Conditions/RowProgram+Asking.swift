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
            kept = self.filter(step, wanted, UnsafeMutableBufferPointer(start: rows, count: kept), fleet)
            next = wanted ? step.pointee.whenTrue : step.pointee.whenFalse
        }
        return kept
    }

    private func filter(
        _ step: UnsafePointer<Step>, _ wanted: Bool, _ rows: UnsafeMutableBufferPointer<UInt32>,
        _ fleet: UnsafePointer<Fleet>
    ) -> Int {
        switch step.pointee.kind {
        case .number where step.pointee.field == NumberField.lastSeen.rawValue:
            let lower = step.pointee.lower
            let span = UInt64(bitPattern: step.pointee.upper &- lower)
            let (inside, outside): (UInt64, UInt64) = wanted ? (1, 0) : (0, 1)
            return rows.keep(fleet.pointee.seen.base) { UInt64(bitPattern: $0 &- lower) <= span ? inside : outside }
        case .narrow:
            guard let column = Self.narrowColumn(step.pointee.field, fleet) else { break }
            return self.keepNarrow(step, wanted, rows, column)
        case .code where step.pointee.field == Self.ownerField:
            return self.keepCompared(step, wanted, rows, fleet.pointee.codes.owner.base)
        case .codeTable where step.pointee.field == Self.ownerField && wanted:
            return self.keepInTable(step, rows, fleet.pointee.codes.owner.base)
        default:
            break
        }
        var kept = 0
        for row in rows {
            rows[kept] = row
            kept &+= self.holds(step, row, fleet) == wanted ? 1 : 0
        }
        return kept
    }

    /// What the first test reads of rows, if that is a column.
    func firstColumn(_ fleet: UnsafePointer<Fleet>) -> ColumnPrefetch? {
        guard self.entry >= 0 else { return nil }
        let step = self.steps.base + Int(self.entry)
        switch step.pointee.kind {
        case .number where step.pointee.field == NumberField.lastSeen.rawValue:
            return ColumnPrefetch(UnsafePointer(fleet.pointee.seen.base))
        case .narrow:
            return Self.narrowColumn(step.pointee.field, fleet).map { ColumnPrefetch($0) }
        case .released:
            return ColumnPrefetch(UnsafePointer(fleet.pointee.codes.release.base))
        case .code where step.pointee.field == Self.ownerField, .codeTable where step.pointee.field == Self.ownerField:
            return ColumnPrefetch(UnsafePointer(fleet.pointee.codes.owner.base))
        default:
            return nil
        }
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
            return self.holdsNarrow(step, column[Int(row)])
        case .code:
            return self.holdsCompared(step, Self.code(step.pointee.field, row, fleet))
        case .codeTable:
            return self.holdsTable(step, Self.code(step.pointee.field, row, fleet))
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

    private static var ownerField: UInt8 { UInt8(DictionaryField.owner.rawValue) }

    @inline(__always)
    private static func code(_ field: UInt8, _ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> UInt32 {
        field == Self.ownerField
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
        case .narrow, .code, .codeTable, .released, .number:
            preconditionFailure("the step is answered from the row or a set")
        }
    }
}
