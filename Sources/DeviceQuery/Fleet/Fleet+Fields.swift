// The fields of a fleet by name.

internal import DeviceModel

extension Fleet {
    // MARK: Dictionaries

    @inline(__always)
    func code(_ text: UnsafeRawBufferPointer, in field: DictionaryField) -> UInt32? {
        switch field {
        case .owner: self.owners.code(of: text)
        case .hardware: self.hardware.code(of: text)
        case .release: self.releases.code(of: text)
        case .cohort: self.cohorts.code(of: text)
        }
    }

    /// Appends the codes of those texts that the field's dictionary holds.
    func appendCodes(of texts: [String], in field: DictionaryField, to codes: inout [UInt32]) {
        switch field {
        case .owner: self.owners.appendCodes(of: texts, to: &codes)
        case .hardware: self.hardware.appendCodes(of: texts, to: &codes)
        case .release: self.releases.appendCodes(of: texts, to: &codes)
        case .cohort: self.cohorts.appendCodes(of: texts, to: &codes)
        }
    }

    @inline(__always)
    func rowSet(_ code: UInt32, in field: DictionaryField) -> RowSet {
        switch field {
        case .owner: self.owners.rows(code)
        case .hardware: self.hardware.rows(code)
        case .release: self.releases.rows(code)
        case .cohort: self.cohorts.rows(code)
        }
    }

    @inline(__always)
    func text(_ code: UInt32, in field: DictionaryField) -> UnsafeRawBufferPointer {
        switch field {
        case .owner: self.owners.text(code)
        case .hardware: self.hardware.text(code)
        case .release: self.releases.text(code)
        case .cohort: self.cohorts.text(code)
        }
    }

    /// Calls `body` with each code of a field that devices have, and with their rows.
    func forEachRowSet(in field: DictionaryField, _ body: (UInt32, RowSet) -> Void) {
        switch field {
        case .owner: self.owners.forEachRowSet(body)
        case .hardware: self.hardware.forEachRowSet(body)
        case .release: self.releases.forEachRowSet(body)
        case .cohort: self.cohorts.forEachRowSet(body)
        }
    }

    /// How many texts the field's dictionary holds.
    func textCount(of field: DictionaryField) -> Int {
        switch field {
        case .owner: self.owners.count
        case .hardware: self.hardware.count
        case .release: self.releases.count
        case .cohort: self.cohorts.count
        }
    }

    /// One more than the field's largest code ever given.
    func codeCount(of field: DictionaryField) -> Int {
        switch field {
        case .owner: self.owners.codeCount
        case .hardware: self.hardware.codeCount
        case .release: self.releases.codeCount
        case .cohort: self.cohorts.codeCount
        }
    }

    /// How many of the field's texts come before `text`, itself counted if `isInclusive`.
    func rank(of text: UnsafeRawBufferPointer, in field: DictionaryField, isInclusive: Bool) -> Int {
        switch field {
        case .owner: self.owners.rank(of: text, isInclusive: isInclusive)
        case .hardware: self.hardware.rank(of: text, isInclusive: isInclusive)
        case .release: self.releases.rank(of: text, isInclusive: isInclusive)
        case .cohort: self.cohorts.rank(of: text, isInclusive: isInclusive)
        }
    }

    /// Calls `body` with the codes at `ranks` of the field's order of texts, until it returns false.
    func forEachCode(in field: DictionaryField, ranks: Range<Int>, _ body: (UInt32) -> Bool) {
        switch field {
        case .owner: self.owners.byText.forEach(in: ranks, isDescending: false, body)
        case .hardware: self.hardware.byText.forEach(in: ranks, isDescending: false, body)
        case .release: self.releases.byText.forEach(in: ranks, isDescending: false, body)
        case .cohort: self.cohorts.byText.forEach(in: ranks, isDescending: false, body)
        }
    }

    /// The code at a rank of the field's order of texts. - Complexity: O(log n).
    func code(at rank: Int, in field: DictionaryField) -> UInt32 {
        switch field {
        case .owner: self.owners.byText.entry(at: rank).number
        case .hardware: self.hardware.byText.entry(at: rank).number
        case .release: self.releases.byText.entry(at: rank).number
        case .cohort: self.cohorts.byText.entry(at: rank).number
        }
    }

    /// The code of a row, read where it lies closest to others.
    @inline(__always)
    func code(_ field: DictionaryField, of row: UInt32) -> UInt32 {
        guard let column = self.codes.narrow(field) else { return self.codes.owner.base[Int(row)] }
        let code = column[Int(row)]
        if code < CodeColumns.none { return UInt32(code) }
        return self.rows.base[Int(row)].code(field)
    }

    // MARK: Texts

    /// The text of a dictionary's entry under a field that its codes decide.
    func text(_ code: UInt32, of field: TextField) -> UnsafeRawBufferPointer {
        switch field {
        case .ownerRef: self.owners.text(code)
        case .hardwareVersion: self.hardware.text(code)
        case .releaseVersion: self.release(code).version
        case .releaseRevision: self.release(code).revision
        case .cohortSlug: self.cohorts.text(code)
        case .cohortName: self.cohortNameTexts.text(self.cohortNames[Int(code)])
        case .deviceSerial: preconditionFailure("a serial has no code")
        }
    }

    /// The version and revision under a code.
    func release(_ code: UInt32) -> (version: UnsafeRawBufferPointer, revision: UnsafeRawBufferPointer) {
        ReleaseText.split(self.releases.text(code), versionByteCount: self.releases.tag(code))
    }

    /// A text of a row; nil where it has none.
    func text(_ field: TextField, of device: UnsafePointer<DeviceRow>) -> UnsafeRawBufferPointer? {
        switch field {
        case .deviceSerial: return self.serials.text(device.pointee.serial)
        case .ownerRef: return self.owners.text(device.pointee.owner)
        case .hardwareVersion: return self.hardware.text(device.pointee.hardware)
        case .cohortSlug, .cohortName: return self.text(device.pointee.cohort, of: field)
        case .releaseVersion, .releaseRevision:
            guard device.pointee.release != DeviceRow.noRelease else { return nil }
            return self.text(device.pointee.release, of: field)
        }
    }

    // MARK: Numbers

    @inline(__always)
    func number(_ field: NumberField, of device: UnsafePointer<DeviceRow>) -> Int64 {
        switch field {
        case .id: device.pointee.id
        case .createdDate: device.pointee.createdDate.microseconds
        case .updatedDate: device.pointee.updatedDate.microseconds
        case .lastSeen: device.pointee.lastSeen
        case .etagRevision: device.pointee.etagRevision
        case .releaseID:
            device.pointee.release == DeviceRow.noRelease
                ? NumberField.missing : self.releaseIDs[Int(device.pointee.release)].rawValue
        case .cohortID: self.cohortIDs[Int(device.pointee.cohort)].rawValue
        }
    }
}
