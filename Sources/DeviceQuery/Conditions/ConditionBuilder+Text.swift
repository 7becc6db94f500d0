// Conditions on texts: by codes where few texts of a dictionary pass, else asked of each row.

internal import DeviceModel

extension ConditionBuilder {
    /// Rows whose text passes.
    func text(_ field: TextField, _ match: TextMatch) -> Condition {
        switch field {
        case .deviceSerial:
            if case .equal(let bytes) = match {
                let row = bytes.withUnsafeBytes { self.fleet.pointee.row(serial: $0) }
                return row.map { .test(.rows([$0])) } ?? .never
            }
            return .test(.text(field, match))
        case .ownerRef: return self.dictionary(.owner, field, match)
        case .hardwareVersion: return self.dictionary(.hardware, field, match)
        case .cohortSlug: return self.dictionary(.cohort, field, match)
        case .releaseVersion:
            if case .equal(let bytes) = match {
                return self.codes(.release, bytes.withUnsafeBytes { self.codes(.release, $0) })
            }
            return self.everyCode(.release, field, match)
        case .releaseRevision: return self.everyCode(.release, field, match)
        case .cohortName: return self.everyCode(.cohort, field, match)
        }
    }

    /// The devices with these serials.
    func serials(_ serials: [String]) -> Condition {
        let rows = Set(serials.compactMap { serial in serial.withBytes { self.fleet.pointee.row(serial: $0) } })
        return rows.isEmpty ? .never : .test(.rows(rows.sorted()))
    }

    /// The codes that a value stands for: of a release's version, those of its revisions.
    func codes(_ field: DictionaryField, _ value: UnsafeRawBufferPointer) -> [UInt32] {
        if field == .release {
            guard let version = self.fleet.pointee.versions.code(of: value) else { return [] }
            return self.fleet.pointee.releasesOfVersion[Int(version)]
        }
        return self.fleet.pointee.code(value, in: field).map { [$0] } ?? []
    }

    /// Rows that have one of the codes.
    func codes(_ field: DictionaryField, _ codes: consuming [UInt32]) -> Condition {
        let list = CodeList(consume codes, field, in: self.fleet)
        return list.codes.isEmpty ? .never : .test(.codes(field, list))
    }

    /// Counts the rows of codes that were joined.
    func recounted(_ condition: Condition) -> Condition {
        switch condition {
        case .test(.codes(let field, let list), let isNegated):
            return .test(.codes(field, CodeList(list.codes, field, in: self.fleet)), isNegated: isNegated)
        case .all(let parts): return .all(parts.map(self.recounted))
        case .any(let parts): return .any(parts.map(self.recounted))
        case .always, .never, .test: return condition
        }
    }

    // MARK: Dictionaries

    /// A dictionary whose texts are the field's: what passes lies side by side in the order of texts, patterns by their beginning.
    private func dictionary(_ field: DictionaryField, _ text: TextField, _ match: TextMatch) -> Condition {
        if case .equal(let bytes) = match {
            return self.codes(field, bytes.withUnsafeBytes { self.codes(field, $0) })
        }
        let ranks = self.ranks(field, match)
        guard ranks.count <= self.codeCountMax else { return .test(.text(text, match)) }
        var codes: [UInt32] = []
        self.forEachCode(field, in: ranks) { code in
            if self.holds(match, code, field) { codes.append(code) }
        }
        return self.codes(field, codes)
    }

    private func holds(_ match: TextMatch, _ code: UInt32, _ field: DictionaryField) -> Bool {
        guard case .pattern = match else { return true }
        return match.holds(self.fleet.pointee.text(code, in: field))
    }

    private func ranks(_ field: DictionaryField, _ match: TextMatch) -> Range<Int> {
        let count = self.fleet.pointee.textCount(of: field)
        func rank(_ bytes: [UInt8], isInclusive: Bool) -> Int {
            bytes.withUnsafeBytes { self.fleet.pointee.rank(of: $0, in: field, isInclusive: isInclusive) }
        }
        switch match {
        case .equal(let bytes): return rank(bytes, isInclusive: false)..<rank(bytes, isInclusive: true)
        case .less(let bytes, let orEqual): return 0..<rank(bytes, isInclusive: orEqual)
        case .greater(let bytes, let orEqual): return rank(bytes, isInclusive: !orEqual)..<count
        case .pattern(let pattern):
            let start = rank(pattern.prefix, isInclusive: false)
            return start..<max(start, pattern.prefix.successor.map { rank($0, isInclusive: false) } ?? count)
        }
    }

    private func forEachCode(_ field: DictionaryField, in ranks: Range<Int>, _ body: (UInt32) -> Void) {
        self.fleet.pointee.forEachCode(in: field, ranks: ranks) { code in
            body(code)
            return true
        }
    }

    /// A text that belongs to a dictionary's entries without being their key: each of them is asked, where they are few.
    private func everyCode(_ field: DictionaryField, _ text: TextField, _ match: TextMatch) -> Condition {
        let count = self.fleet.pointee.textCount(of: field)
        guard count <= self.codeCountMax else { return .test(.text(text, match)) }
        var codes: [UInt32] = []
        self.forEachCode(field, in: 0..<count) { code in
            if match.holds(self.fleet.pointee.text(code, of: text)) { codes.append(code) }
        }
        return self.codes(field, codes)
    }
}

extension CodeList {
    /// Those of some codes that rows have, each once.
    fileprivate init(_ codes: consuming [UInt32], _ field: DictionaryField, in fleet: UnsafePointer<Fleet>) {
        self.init(codes: consume codes, rowCount: 0, largeCount: 0)
        let count = self.codes.count
        if count > 8 { self.codes.sort() } else { self.codes.insertionSort(by: <) }
        var kept = 0
        for index in 0..<count {
            let code = self.codes[index]
            if kept > 0, self.codes[kept - 1] == code { continue }
            let rows = fleet.pointee.rowSet(code, in: field)
            guard rows.count > 0 else { continue }
            if kept < index { self.codes[kept] = code }
            kept += 1
            self.rowCount += Int(rows.count)
            self.largeCount += rows.isChunked ? 1 : 0
        }
        if kept < count { self.codes.removeLast(count - kept) }
    }
}

extension [UInt8] {
    /// The first text after all that begin with this one; nil where there is none.
    var successor: [UInt8]? {
        var bytes = self
        while let last = bytes.popLast() {
            if last < .max { return bytes + [last + 1] }
        }
        return nil
    }
}
