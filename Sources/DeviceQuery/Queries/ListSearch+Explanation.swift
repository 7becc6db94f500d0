// A search in words.

internal import DeviceModel

extension ListSearch {
    /// What was done for a window.
    func explanation(_ window: PageWindow, elapsedNanoseconds: Int64, sliceCount: Int = 1) -> QueryExplanation {
        let candidateCount = self.walkEstimate?.candidateCount ?? Double(self.plan.candidateEstimate)
        return QueryExplanation(
            plan: self.usedPlan, steps: self.steps(window), estimatedCandidateCount: Int64(candidateCount),
            estimatedMatchCount: Int64(self.plan.matchEstimate), candidateCount: Int64(self.tally.candidateCount),
            matchCount: Int64(self.tally.matchCount),
            estimatedNanoseconds: Int64(self.walkEstimate?.cost ?? self.plan.sourceCost),
            elapsedNanoseconds: elapsedNanoseconds, sliceCount: Int64(sliceCount))
    }

    private func steps(_ window: PageWindow) -> [String] {
        var steps: [String] = []
        switch self.usedPlan {
        case .orderedWalk:
            steps.append("walk the index by \(self.orderText), \(self.startText(window))")
            steps += self.plan.conditionSteps("ask each device: ")
        case .mergedWalk:
            let partials = self.plan.partialWalk(ofMatches: Double(window.reach), isBuilt: true)?.partials
            let values = partials.map { $0.field.text(of: $0.codes, in: self.fleet) } ?? ""
            steps.append("walk the indexes by \(self.orderText) of \(values) as one, \(self.startText(window))")
            steps += self.plan.conditionSteps("ask each device: ")
        case .groupedWalk:
            steps.append("take the values of \(self.orderText) in order, and the devices of each")
            steps += self.plan.conditionSteps("ask each device: ")
        default:
            steps += self.plan.sourceSteps
            steps.append("keep the first \(window.reach) by \(self.orderText)")
        }
        if window.offset > 0 { steps.append("leave out the first \(window.offset)") }
        return steps
    }

    private func startText(_ window: PageWindow) -> String {
        window.place == nil ? "from its end" : "from the page token"
    }

    private var orderText: String {
        let keys = self.order.keys.map { ($0.isDescending ? "-" : "") + $0.source.text(in: self.fleet) }
        return keys.isEmpty ? (self.order.isIDDescending ? "-id" : "id") : keys.joined(separator: ",")
    }
}

extension QueryPlan {
    /// Where the candidates come from, and what they are asked.
    var sourceSteps: [String] {
        let source: String
        switch self.source {
        case .rows(let rows): source = "look up \(rows.count) devices that the filter names"
        case .codes(let field, let codes): source = "take the devices of " + field.text(of: codes, in: self.fleet)
        case .bitmaps: source = "intersect the sets of devices as bitmaps of 65,536"
        case .range(let range):
            source =
                "take ranks \(range.ranks.lowerBound) to \(range.ranks.upperBound) of the index by "
                + range.tree.text(in: self.fleet)
        case .partials(let partials):
            source =
                "take a range of the index by last_seen of \(partials.field.text(of: partials.codes, in: self.fleet))"
        case .column(let key, _): source = "read the values of \(OrderName.attribute(key).text(in: self.fleet))"
        case .everything: source = "take every device"
        }
        return [source] + self.conditionSteps("hold to: ")
    }

    func conditionSteps(_ lead: String) -> [String] {
        self.parts.map { lead + $0.condition.text(in: self.fleet) }
    }
}

extension Condition {
    func text(in fleet: UnsafePointer<Fleet>) -> String {
        switch self {
        case .always: "anything"
        case .never: "nothing"
        case .test(let test, let isNegated): (isNegated ? "not " : "") + test.text(in: fleet)
        case .all(let parts): "(" + parts.map { $0.text(in: fleet) }.joined(separator: " and ") + ")"
        case .any(let parts): "(" + parts.map { $0.text(in: fleet) }.joined(separator: " or ") + ")"
        }
    }
}

extension RowTest {
    fileprivate func text(in fleet: UnsafePointer<Fleet>) -> String {
        var isExact = true
        let count = self.rowCount(in: fleet, isExact: &isExact)
        let devices = " (\(isExact ? "" : "about ")\(count) devices)"
        return switch self {
        case .codes(let field, let list): field.text(of: list.codes, in: fleet) + devices
        case .released: "a release" + devices
        case .number(let field, _): "a range of \(field.text)" + devices
        case .text(let field, _): "a text of \(field.text)" + devices
        case .rows(let rows): "\(rows.count) named devices"
        case .attribute(let key, .present): "a value of " + OrderName.attribute(key).text(in: fleet) + devices
        case .attribute(let key, _): "values of " + OrderName.attribute(key).text(in: fleet) + devices
        }
    }
}

extension String {
    /// A release's version, which its revision follows after a NUL.
    fileprivate var firstLine: String { "'" + self.split(separator: "\0", maxSplits: 1).joined(separator: " ") + "'" }
}

extension DictionaryField {
    var text: String {
        switch self {
        case .owner: "owner_ref"
        case .hardware: "hardware_version"
        case .release: "release"
        case .cohort: "cohort"
        }
    }
}

extension DictionaryField {
    /// The value under an only code, else how many there are.
    fileprivate func text(of codes: [UInt32], in fleet: UnsafePointer<Fleet>) -> String {
        guard codes.count == 1 else { return "\(codes.count) values of \(self.text)" }
        return self.text + " " + String(decoding: fleet.pointee.text(codes[0], in: self), as: UTF8.self).firstLine
    }
}

extension NumberField {
    fileprivate var text: String {
        switch self {
        case .id: "id"
        case .createdDate: "created_date"
        case .updatedDate: "updated_date"
        case .lastSeen: "last_seen"
        case .etagRevision: "etag"
        case .releaseID: "release.id"
        case .cohortID: "cohort.id"
        }
    }
}

extension TextField {
    fileprivate var text: String {
        switch self {
        case .deviceSerial: "device_serial"
        case .ownerRef: "owner_ref"
        case .hardwareVersion: "hardware_version"
        case .releaseVersion: "release"
        case .releaseRevision: "release.revision"
        case .cohortSlug: "cohort"
        case .cohortName: "cohort.name"
        }
    }
}

extension OrderName {
    func text(in fleet: UnsafePointer<Fleet>) -> String {
        switch self {
        case .createdDate: "created_date"
        case .updatedDate: "updated_date"
        case .deviceSerial: "device_serial"
        case .attribute(let key): "attributes." + AttributePath.written(fleet.pointee.attributeKeys.foldedTexts[key])
        case .lastSeen(let field, let code): "last_seen of " + field.text(of: [code], in: fleet)
        }
    }
}

extension TreeName {
    fileprivate func text(in fleet: UnsafePointer<Fleet>) -> String {
        switch self {
        case .id: "id"
        case .lastSeen: "last_seen"
        case .lazy(let order): order.text(in: fleet)
        }
    }
}

extension SortOrder.Source {
    fileprivate func text(in fleet: UnsafePointer<Fleet>) -> String {
        switch self {
        case .number(let field): field.text
        case .serial: "device_serial"
        case .dictionary(let field): field.text
        case .attribute(let key): OrderName.attribute(key).text(in: fleet)
        }
    }
}
