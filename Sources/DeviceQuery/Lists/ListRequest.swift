// A list's query after every check, ready to be searched for in one fleet.

package import DeviceModel
internal import FoundationEssentials

/// What checking a query found, beside the query itself, which goes along with it: a copy would cost as much as a short answer.
struct ListRequest {
    let project: ProjectID
    let expression: FilterExpression?
    let pageSize: Int
    let offset: Int
    let token: PageToken?
    let fingerprint: UInt64
    /// On the fleet as it was when the query was checked; one that is answered later makes it anew.
    let order: SortOrder
    /// What activity is counted from.
    let now: Timestamp

    /// - Throws: every bad field of the query at once.
    init(
        _ query: borrowing ListQuery, in project: ProjectID, of index: borrowing RegistryIndex, now: Timestamp
    ) throws(InvalidFields) {
        guard let fleet = index.fleet(project) else {
            preconditionFailure("a list is asked of a project that does not exist")
        }
        var check = FieldCheck()
        check.filter(query.filter, valueCountMax: index.limits.filterValueCountMax)
        let expression = check.expression(query.filter, in: fleet, of: index)
        check.attributes(of: query.sort, in: fleet)
        let fingerprint = PageToken.fingerprint(query.filter, query.sort, in: project, of: index.storeID)
        let order = SortOrder(query.sort, in: fleet)
        let pageSize = Self.pageSize(
            query.pageSize, sizeDefault: index.limits.pageSizeDefault, sizeMax: index.limits.pageSizeMax, &check)
        var (token, offset): (PageToken?, Int) = (nil, 0)
        if let page = query.pageNumber {
            offset = Self.offset(page, pageSize: pageSize, &check)
        } else if !query.pageToken.isEmpty {
            token = Self.token(query.pageToken, fingerprint, order, fleet, &check)
        }
        try check.finish()
        self.project = project
        self.expression = expression
        self.pageSize = pageSize
        self.offset = offset
        self.token = token
        self.fingerprint = fingerprint
        self.order = order
        self.now = token?.now ?? now
    }

    /// The query's filter as tests of the fleet as it is at this moment.
    func condition(
        _ query: ListQuery, _ index: borrowing RegistryIndex, in fleet: UnsafePointer<Fleet>
    ) -> Condition {
        index.condition(query.filter, self.expression, now: self.now, in: fleet)
    }

    /// The rows of the page, and one more that tells whether there is a next one.
    var window: PageWindow {
        PageWindow(place: self.token?.place, offset: self.offset, count: self.pageSize + 1)
    }

    /// By how many devices each of the steps runs ahead in which a device, the places of its texts and these are fetched.
    private static var fetchedAheadCount: Int { 8 }

    /// Shows the rows of a page to `each`, and tells where the next one begins.
    ///
    /// - Parameter readsTexts: whether `each` reads the texts of devices, which are then fetched before they are waited for.
    func page(
        _ rows: UnsafeBufferPointer<UInt32>, _ order: SortOrder, totalCount: Int?, readsTexts: Bool,
        in fleet: UnsafePointer<Fleet>, each: (BorrowedDevice) -> Bool
    ) -> ListPage {
        let page = UnsafeBufferPointer(rebasing: rows.prefix(self.pageSize))
        let shown = readsTexts ? Self.showTexts(page, in: fleet, each) : Self.show(page, in: fleet, each)
        var next: PageToken?
        if shown < rows.count {
            precondition(shown > 0, "a page holds at least one device")
            let place = order.place(rows[shown - 1], in: fleet)
            next = PageToken(fingerprint: self.fingerprint, now: self.now, place: place)
        }
        return ListPage(next: next, totalCount: totalCount.map(Int64.init), itemCount: shown)
    }

    /// Shows rows to `each` until it returns false, and tells how many were shown.
    ///
    /// Nothing is fetched ahead: of devices whose texts are not read, the processor waits for a dozen at once by itself.
    private static func show(
        _ rows: UnsafeBufferPointer<UInt32>, in fleet: UnsafePointer<Fleet>, _ each: (BorrowedDevice) -> Bool
    ) -> Int {
        for index in 0..<rows.count {
            guard each(BorrowedDevice(rows[index], of: fleet)) else { return index }
        }
        return rows.count
    }

    /// As ``show(_:in:_:)``, where `each` reads texts.
    private static func showTexts(
        _ rows: UnsafeBufferPointer<UInt32>, in fleet: UnsafePointer<Fleet>, _ each: (BorrowedDevice) -> Bool
    ) -> Int {
        let (count, ahead) = (rows.count, Self.fetchedAheadCount)
        for index in 0..<min(4 * ahead, count) { fleet.pointee.prefetch(rows[index]) }
        for index in 0..<min(2 * ahead, count) { fleet.pointee.prefetchSerial(rows[index]) }
        for index in 0..<min(ahead, count) { fleet.pointee.prefetchOwner(rows[index]) }
        for index in 0..<count {
            if index + 4 * ahead < count { fleet.pointee.prefetch(rows[index + 4 * ahead]) }
            if index + 2 * ahead < count { fleet.pointee.prefetchSerial(rows[index + 2 * ahead]) }
            if index + ahead < count { fleet.pointee.prefetchOwner(rows[index + ahead]) }
            guard each(BorrowedDevice(rows[index], of: fleet)) else { return index }
        }
        return count
    }

    // MARK: Checks

    private static func token(
        _ text: String, _ fingerprint: UInt64, _ order: SortOrder, _ fleet: UnsafePointer<Fleet>,
        _ check: inout FieldCheck
    ) -> PageToken? {
        do throws(PageToken.Refusal) {
            return try PageToken(text, fingerprint: fingerprint, order: order, in: fleet)
        } catch {
            switch error {
            case .garbled:
                check.refuse(
                    "page_token", "is not a page token; send next_page_token as it came, or nothing for the first page")
            case .ofAnotherList:
                check.refuse(
                    "page_token",
                    "was given for another project, filter, sort or store; repeat those of the first page, or begin without it"
                )
            }
            return nil
        }
    }

    private static func pageSize(_ size: Int, sizeDefault: Int, sizeMax: Int, _ check: inout FieldCheck) -> Int {
        if size < 0 {
            check.refuse("page_size", "must not be negative; 0 means \(sizeDefault)")
        }
        return size <= 0 ? sizeDefault : min(size, sizeMax)
    }

    private static func offset(_ page: Int64, pageSize: Int, _ check: inout FieldCheck) -> Int {
        guard page >= 1 else {
            check.refuse("page", "must be at least 1: pages count from 1")
            return 0
        }
        let (offset, isPastEverything) = (page - 1).multipliedReportingOverflow(by: Int64(pageSize))
        return isPastEverything ? .max : Int(offset)
    }
}

extension RegistryIndex {
    /// A filter as tests of the fleet as it is at this moment.
    func condition(
        _ filter: DeviceFilter, _ expression: FilterExpression?, now: Timestamp, in fleet: UnsafePointer<Fleet>
    ) -> Condition {
        if filter.asksNothing { return .always }
        let window = filter.activityWindowMicroseconds ?? self.limits.activityWindowMicrosecondsDefault
        let builder = ConditionBuilder(
            fleet: fleet, storeTag: self.storeTag, termCount: expression?.termCount ?? 0)
        return builder.condition(
            filter, expression, window: window, now: now)
    }
}

extension RegistryIndex {
    /// What is wrong with a filter's text and with the attributes that are named beside it: nobody can tell without the fleet.
    ///
    /// A query says the same of itself; this is for a request that is refused for other reasons too. Empty where there is no such
    /// project.
    package func violations(
        of filter: DeviceFilter, sort: [SortKey] = [], groupBy: [GroupKey] = [], in project: ProjectID
    ) -> [FieldViolation] {
        guard let fleet = self.fleet(project) else { return [] }
        var check = FieldCheck()
        _ = check.expression(filter, in: fleet, of: self)
        check.attributes(of: sort, in: fleet)
        check.attributes(of: groupBy, in: fleet)
        return check.violations
    }
}

extension FieldCheck {
    /// Refuses what is wrong with a filter beside its text, whatever it is used for, by the names of the request's fields.
    ///
    /// - Parameters:
    ///   - valueCountMax: how many values a field may have: ``Limits/filterValueCountMax``.
    ///   - asksActivity: whether the request asks for activity elsewhere, which gives a window its meaning too.
    package mutating func filter(_ filter: DeviceFilter, valueCountMax: Int, asksActivity: Bool = false) {
        if filter.asksNothing { return }
        self.values(filter.releases, "release", valueCountMax)
        self.values(filter.ownerRefs, "owner_ref", valueCountMax)
        self.values(filter.hardwareVersions, "hardware_version", valueCountMax)
        self.values(filter.cohorts, "cohort", valueCountMax)
        self.values(filter.deviceSerials, "device_serial", valueCountMax)
        if let since = filter.lastSeenSince, let until = filter.lastSeenUntil, since > until {
            self.refuse("last_seen_since", "must not be after last_seen_until")
        }
        if let window = filter.activityWindowMicroseconds {
            if window < 1 {
                self.refuse("activity_window", "must be at least a microsecond")
            } else if filter.activity == nil, !asksActivity {
                self.refuse("activity_window", "has a meaning only together with activity")
            }
        }
    }

    @inline(__always)
    private mutating func values(_ values: [String], _ field: String, _ countMax: Int) {
        if values.count > countMax { self.refuseCount(values.count, field, countMax) }
    }

    private mutating func refuseCount(_ count: Int, _ field: String, _ countMax: Int) {
        self.refuse(field, "must have at most \(countMax) values, not \(count)")
    }

    /// The tree of a filter's text, which is refused if it is wrong.
    @inline(__always)
    mutating func expression(
        _ filter: borrowing DeviceFilter, in fleet: UnsafePointer<Fleet>, of index: borrowing RegistryIndex
    ) -> FilterExpression? {
        filter.expression.isEmpty ? nil : self.parsed(filter.expression, in: fleet, of: index)
    }

    @inline(never)
    private mutating func parsed(
        _ text: String, in fleet: UnsafePointer<Fleet>, of index: borrowing RegistryIndex
    ) -> FilterExpression? {
        let keys = fleet.pointee.attributeKeys
        do throws(InvalidFields) {
            return try FilterParser(limits: index.limits).parse(
                text, attributeKey: { text in keys.index(text).map { keys.records[$0] } },
                attributeKeyNames: { keys.foldedTexts })
        } catch {
            for violation in error.violations { self.refuse(violation.field, violation.description) }
            return nil
        }
    }

    /// Refuses sort keys that are attributes which the fleet does not have.
    fileprivate mutating func attributes(of sort: [SortKey], in fleet: UnsafePointer<Fleet>) {
        for key in sort {
            if case .attribute(let text) = key.field { self.attribute(text, field: "sort", in: fleet) }
        }
    }

    /// Refuses keys to group by that are attributes which the fleet does not have.
    mutating func attributes(of groupBy: [GroupKey], in fleet: UnsafePointer<Fleet>) {
        for (place, key) in groupBy.enumerated() {
            if case .attribute(let text) = key { self.attribute(text, field: "group_by[\(place)]", in: fleet) }
        }
    }

    /// Letters compared for finding a similar name, so that a refusal takes no longer than an answer.
    private static let nearestEffortMax = 100_000

    /// Refuses an attribute that the fleet does not have.
    private mutating func attribute(_ text: String, field: String, in fleet: UnsafePointer<Fleet>) {
        let keys = fleet.pointee.attributeKeys
        guard keys.index(text) == nil else { return }
        let nearest = CustomMetric.folded(text).nearest(of: keys.foldedTexts, effortMax: Self.nearestEffortMax)?.name
        let advice = nearest.map { "the nearest key is \(quoted($0))" } ?? "the project has no attributes"
        self.refuse(field, "names the unknown attribute \(quoted(text)); \(advice)")
    }
}
