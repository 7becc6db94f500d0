// Answering a list.

package import DeviceModel

/// What a page says beside its devices.
package struct ListPage: Hashable, Sendable {
    /// Empty at the end of the list.
    package var nextPageToken: String
    /// How many devices match, if the query asked.
    package var totalCount: Int64?
    package var itemCount: Int
}

extension RegistryIndex {
    /// Calls `each` with the devices of one page, in order.
    ///
    /// `each` returns false to end the page before the device that it was given, which the next page then begins with; the first
    /// device of a page cannot be refused, for the list would never go on.
    ///
    /// A page of an order that an index has (by id, by last_seen) costs O(log n) and its rows, however deep it lies, as long as
    /// filters match often enough. Any other is selected from every candidate of the cheapest source.
    /// - Parameters:
    ///   - project: one that exists.
    ///   - now: what activity is counted from, if the query has no token of an earlier page.
    /// - Throws: every bad field of the query at once.
    package func list(
        _ query: ListQuery, in project: ProjectID, now: Timestamp, each: (BorrowedDevice) -> Bool
    ) throws(InvalidFields) -> ListPage {
        guard let fleet = self.fleet(project) else {
            preconditionFailure("a list is asked of a project that does not exist")
        }
        var check = FieldCheck()
        check.filter(query.filter, limits: self.limits)
        let order = SortOrder(query.sort)
        let token = self.token(query, order, project, &check)
        let pageSize = self.pageSize(query, &check)
        let offset = Self.offset(query.position, pageSize: pageSize, &check)
        try check.finish()

        let now = token?.now ?? now
        let window = query.filter.activityWindowMicroseconds ?? self.limits.activityWindowMicrosecondsDefault
        let plan = ListPlan(RowFilter(query.filter, window: window, now: now, in: fleet), in: fleet)
        // One row more than the page tells whether there is a next one.
        var rows = Column<UInt32>(capacity: pageSize + 1)
        plan.collect(order, after: token?.place, offset: offset, count: pageSize + 1, into: &rows)

        var page = ListPage(
            nextPageToken: "", totalCount: query.includesTotal ? Int64(plan.count()) : nil, itemCount: 0)
        while page.itemCount < min(rows.count, pageSize), each(BorrowedDevice(rows[page.itemCount], of: fleet)) {
            page.itemCount += 1
        }
        if page.itemCount < rows.count {
            precondition(page.itemCount > 0, "a page holds at least one device")
            page.nextPageToken =
                PageToken(
                    fingerprint: PageToken.fingerprint(query.filter, order, in: project, of: self.storeID),
                    now: now,
                    place: order.place(rows[page.itemCount - 1], in: fleet)
                ).text
        }
        return page
    }

    private func token(
        _ query: ListQuery, _ order: SortOrder, _ project: ProjectID, _ check: inout FieldCheck
    ) -> PageToken? {
        guard case .token(let text) = query.position, !text.isEmpty else { return nil }
        do throws(PageToken.Refusal) {
            let fingerprint = PageToken.fingerprint(query.filter, order, in: project, of: self.storeID)
            return try PageToken(text, fingerprint: fingerprint, order: order)
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

    private func pageSize(_ query: ListQuery, _ check: inout FieldCheck) -> Int {
        if query.pageSize < 0 {
            check.refuse("page_size", "must not be negative; 0 means \(self.limits.pageSizeDefault)")
        }
        return query.pageSize <= 0 ? self.limits.pageSizeDefault : min(query.pageSize, self.limits.pageSizeMax)
    }

    private static func offset(_ position: PagePosition, pageSize: Int, _ check: inout FieldCheck) -> Int {
        guard case .number(let page) = position else { return 0 }
        guard page >= 1 else {
            check.refuse("page", "must be at least 1: pages count from 1")
            return 0
        }
        let (offset, isPastEverything) = (page - 1).multipliedReportingOverflow(by: Int64(pageSize))
        return isPastEverything ? .max : Int(offset)
    }
}

extension FieldCheck {
    /// Refuses what is wrong with a filter, whatever it is used for, by the names of the request's fields.
    package mutating func filter(_ filter: DeviceFilter, limits: Limits) {
        let fields = [
            ("release", filter.releases.count), ("owner_ref", filter.ownerRefs.count),
            ("hardware_version", filter.hardwareVersions.count), ("cohort", filter.cohorts.count),
            ("device_serial", filter.deviceSerials.count),
        ]
        for (field, count) in fields where count > limits.filterValueCountMax {
            self.refuse(field, "must have at most \(limits.filterValueCountMax) values, not \(count)")
        }
        if let since = filter.lastSeenSince, let until = filter.lastSeenUntil, since > until {
            self.refuse("last_seen_since", "must not be after last_seen_until")
        }
        if let window = filter.activityWindowMicroseconds {
            if window < 1 {
                self.refuse("activity_window", "must be at least a microsecond")
            } else if filter.activity == nil {
                self.refuse("activity_window", "has a meaning only together with activity")
            }
        }
    }
}
