// One watcher: what matches, then what changes, step by step.

package import DeviceModel
package import DeviceQuery
internal import DeviceStore
internal import FoundationEssentials

/// A change as a watcher sees it.
package struct WatchedEvent: Sendable {
    package enum Kind: Hashable, Sendable {
        /// It matches now and did not before.
        case entered
        /// It matches as before.
        case changed
        /// It matched before and does not now, or is deleted.
        case left
    }

    package let kind: Kind
    package let revision: Revision
    /// After the change; as it was last where it is deleted.
    package let device: Device
}

/// A watch over the devices that match a filter.
///
/// First the matching devices, unless it takes up an earlier watch, then a bookmark, then every change in order. Changes come from
/// the log of the store up to the first bookmark, and from memory after that. What is handed out with a step is gone: the next
/// step asks for what follows.
///
/// The first devices are read in slices, between which they may change. A change that a slice has seen already is not told again;
/// all others after the start are, so that at the bookmark the watcher has exactly what matches.
///
/// ## Concurrency
/// Belongs to one task at a time: whoever begins it hands it to the one that sends, and does not touch it again. That is what makes
/// `@unchecked Sendable` true.
package final class DeviceWatch: @unchecked Sendable {
    package enum Step {
        /// In order, at least one.
        case events([WatchedEvent])
        /// Everything through this revision has been told.
        case bookmark(Bookmark)
    }

    private let registry: Registry
    private let project: ProjectRecord
    private let matcher: DeviceMatcher
    private let withAttributes: Bool
    private let subscription: ChangeFeed.Subscription
    private var wakes: AsyncStream<Void>.AsyncIterator
    /// Nil where the watch takes up an earlier one, and once it is through.
    private var walk: DeviceWalk?
    /// Up to which device each slice of the first devices went, and at which revision it was read.
    private var slices: [(through: DeviceID, revision: Revision)] = []
    /// Everything through it has been told.
    private var cursor: Revision
    /// Whether the cursor stands between two batches.
    private var isAtBoundary: Bool
    private var replayCount = DeviceWatch.replayCountMin
    private var lastBookmark: (revision: Revision, time: ContinuousClock.Instant)?
    private let clock = ContinuousClock()

    /// How many changes of the log are replayed at a time: more where few of them match, fewer where each may be large.
    private static let replayCountMin: Int64 = 8_192
    private static let replayCountWithAttributes: Int64 = 1_024
    private static let replayCountMax: Int64 = 65_536

    fileprivate init(
        _ registry: Registry, _ project: ProjectRecord, _ matcher: DeviceMatcher, _ walk: DeviceWalk?,
        _ subscription: ChangeFeed.Subscription, withAttributes: Bool, from revision: Revision
    ) {
        self.registry = registry
        self.project = project
        self.matcher = matcher
        self.withAttributes = withAttributes
        self.subscription = subscription
        self.wakes = subscription.wakes.makeAsyncIterator()
        self.walk = walk
        // One that goes on is first told what it has missed.
        self.isAtBoundary = walk != nil
        if withAttributes { self.replayCount = Self.replayCountWithAttributes }
        self.cursor = revision
    }

    /// Where the watch stands: one that begins from here misses nothing and is told nothing twice.
    package var bookmark: Bookmark {
        Bookmark(storeID: self.registry.storeID, revision: self.cursor.rawValue)
    }

    /// Returns when the watch has fallen too far behind, whatever keeps it from asking for its next step, or when it is over.
    package var isLost: @Sendable () async -> Void {
        let lost = self.subscription.lost
        return { for await _ in lost {} }
    }

    // MARK: The first devices

    /// Shows a slice of the devices that match, by id; false once there are no more.
    ///
    /// - Parameter each: As ``DeviceWalk/advance(_:deviceCount:each:)`` has it.
    package func advanceSnapshot(each: (BorrowedDevice) -> Bool) throws(RegistryError) -> Bool {
        guard let walk = self.walk else { return false }
        if let ending = self.subscription.ending { throw ending }
        let (progress, revision) = self.registry.read { index in
            (walk.advance(index, each: each), self.registry.revision)
        }
        self.slices.append((walk.reachedID, revision))
        switch progress {
        case .unfinished: return true
        case .finished: self.walk = nil
        case .projectGone: throw .projectNotFound(self.project.slug)
        }
        return false
    }

    /// Whether the first devices, as they were read, show a change already.
    private func isInSnapshot(_ change: WatchedChange) -> Bool {
        guard let last = self.slices.last, change.device <= last.through else { return false }
        var (low, high) = (0, self.slices.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if self.slices[middle].through < change.device { low = middle + 1 } else { high = middle }
        }
        return change.revision <= self.slices[low].revision
    }

    // MARK: Changes

    /// What comes next, once it is there.
    ///
    /// - Throws: ``RegistryError`` where the watch is over: with a bookmark, RESOURCE_EXHAUSTED for one that is too far behind and
    ///   UNAVAILABLE at a drain; OUT_OF_RANGE where the log does not reach back to it; NOT_FOUND where its project is gone.
    ///   `CancellationError` where its task is cancelled.
    package func next() async throws -> Step {
        while true {
            try Task.checkCancellation()
            if self.lastBookmark?.revision != self.cursor, self.isBookmarkDue { return self.setBookmark() }
            switch self.subscription.read(after: self.cursor) {
            case .batches(let batches):
                if let events = try await self.events(of: batches) { return .events(events) }
            case .upToDate:
                // The writer may have come further than it has told.
                self.isAtBoundary = self.isAtBoundary || self.cursor == self.registry.revision
                if self.isBookmarkDue { return self.setBookmark() }
                try self.checkThatItGoesOn()
                guard await self.wakes.next() != nil else { throw CancellationError() }
            case .dropped where self.lastBookmark != nil:
                throw RegistryError.watcherTooSlow(self.bookmark, limits: self.registry.limits)
            case .dropped, .notKept:
                try self.checkThatItGoesOn()
                if let events = try await self.replay() { return .events(events) }
            }
        }
    }

    private var isBookmarkDue: Bool {
        guard self.isAtBoundary else { return false }
        guard let last = self.lastBookmark else {
            return self.slices.last.map { self.cursor >= $0.revision } ?? true
        }
        return self.clock.now - last.time >= .nanoseconds(self.registry.limits.watchHeartbeatNanoseconds)
    }

    private func setBookmark() -> Step {
        if self.lastBookmark == nil { self.subscription.keepUp(from: self.cursor) }
        self.lastBookmark = (self.cursor, self.clock.now)
        self.slices = []
        return .bookmark(self.bookmark)
    }

    private func checkThatItGoesOn() throws(RegistryError) {
        if var ending = self.subscription.ending {
            // Before the first bookmark a watcher has not all that matches at any revision.
            if self.walk == nil, self.slices.isEmpty {
                ending.bookmark = self.bookmark
                ending.message += " Resume from revision \(self.cursor.rawValue)."
            }
            throw ending
        }
        guard self.registry.read({ $0.project(id: self.project.id) != nil }) else {
            throw .projectNotFound(self.project.slug)
        }
    }

    /// The matches among what some batches changed; nil where there are none.
    private func events(of batches: [WatchedBatch]) async throws -> [WatchedEvent]? {
        let cursor = self.cursor
        let changes = batches.flatMap(\.changes).filter { $0.project == self.project.id && $0.revision > cursor }
        let events = try await self.events(of: changes)
        self.cursor = max(cursor, batches.last?.through ?? cursor)
        self.isAtBoundary = true
        return events.isEmpty ? nil : events
    }

    /// The matches among the next changes of the log; nil where there are none.
    private func replay() async throws -> [WatchedEvent]? {
        let target = self.registry.revision
        let last = min(target, Revision(rawValue: self.cursor.rawValue + self.replayCount))
        let log = LogReplay(registry: self.registry, project: self.project.id, withAttributes: self.withAttributes)
        let cursor = self.cursor
        let changes = try await self.registry.readingFeed { () throws(RegistryError) in
            try log.changes(after: cursor, through: last)
        }
        let events = try await self.events(of: changes)
        self.cursor = last
        self.isAtBoundary = last == target
        let isSparse = Int64(events.count) < self.replayCount / 8
        if !self.withAttributes {
            self.replayCount = isSparse ? min(Self.replayCountMax, self.replayCount * 2) : Self.replayCountMin
        }
        return events.isEmpty ? nil : events
    }

    private func events(of changes: [WatchedChange]) async throws -> [WatchedEvent] {
        let changes = changes.filter { !self.isInSnapshot($0) }
        guard !changes.isEmpty else { return [] }
        var names = DeviceNames(changes, in: self.project.id, self.registry)
        if names.isMissingSome {
            let (releases, cohorts, registry) = (names.missingReleases, names.missingCohorts, self.registry)
            names.add(
                try await registry.readingFeed { () throws(RegistryError) in
                    try registry.retiredNames(releases: releases, cohorts: cohorts)
                })
        }
        var events: [WatchedEvent] = []
        for change in changes {
            if let event = try self.event(change, names) { events.append(event) }
        }
        return events
    }

    private func event(_ change: WatchedChange, _ names: DeviceNames) throws(RegistryError) -> WatchedEvent? {
        // Where everything matches, what a device was is asked only where nothing is left of it.
        let asksBefore = !self.matcher.matchesAll || change.after == nil
        let before = asksBefore ? try self.device(change.before, names) : nil
        let after = try self.device(change.after, names)
        let wasIn = asksBefore ? before.map(self.matcher.matches) ?? false : change.before != nil
        let isIn = after.map(self.matcher.matches) ?? false
        guard wasIn || isIn, let device = after ?? before else { return nil }
        let kind: WatchedEvent.Kind = !isIn ? .left : wasIn ? .changed : .entered
        return WatchedEvent(kind: kind, revision: change.revision, device: device)
    }

    private func device(_ state: WatchedDevice?, _ names: DeviceNames) throws(RegistryError) -> Device? {
        guard let state else { return nil }
        guard let device = names.device(state) else {
            throw .revisionCompacted(self.bookmark)
        }
        return device
    }
}

// MARK: - Beginning

extension Registry {
    /// Begins to watch the devices of a project that match.
    ///
    /// - Parameters:
    ///   - bookmark: where to take up an earlier watch with the same filter; nil to begin with the devices that match.
    ///   - withAttributes: whether the devices are told with their attributes.
    /// - Throws: ``InvalidFields`` for every bad field of the filter; ``RegistryError`` where there is no such project, where there
    ///   are too many watchers, and OUT_OF_RANGE where the history does not reach from the bookmark to the present.
    package func watch(
        _ filter: DeviceFilter, in slug: String, from bookmark: Bookmark?, withAttributes: Bool
    ) async throws -> DeviceWatch {
        guard let bookmark else {
            return try self.watch(filter, in: slug, withAttributes: withAttributes) { project, index in
                (try DeviceWalk(filter, in: project, of: index, now: self.now()), self.revision)
            }
        }
        let watch = try self.watch(filter, in: slug, withAttributes: withAttributes) { _, _ in
            (nil, Revision(rawValue: bookmark.revision))
        }
        try await self.readingFeed { () throws(RegistryError) in
            try self.check(bookmark, ofProject: slug)
        }
        return watch
    }

    /// Subscribes, and then begins where `start` says.
    private func watch(
        _ filter: DeviceFilter, in slug: String, withAttributes: Bool,
        from start: (ProjectID, borrowing RegistryIndex) throws -> (DeviceWalk?, Revision)
    ) throws -> DeviceWatch {
        let (project, matcher) = try self.read { (index: borrowing RegistryIndex) throws in
            guard let project = index.project(slug: slug) else { throw RegistryError.projectNotFound(slug) }
            return (project, try DeviceMatcher(filter, in: project.id, of: index))
        }
        let withAttributes = withAttributes || matcher.asksAttributes
        // First, so that one too many is refused before anything is read for it.
        let subscription = try self.feed.subscribe(wantsAttributes: withAttributes)
        let (walk, revision) = try self.read { (index: borrowing RegistryIndex) throws in
            guard index.project(id: project.id) != nil else { throw RegistryError.projectNotFound(slug) }
            return try start(project.id, index)
        }
        return DeviceWatch(
            self, project, matcher, walk, subscription, withAttributes: withAttributes, from: revision)
    }

    private func check(_ bookmark: Bookmark, ofProject slug: String) throws(RegistryError) {
        guard bookmark.storeID == self.storeID else {
            let (other, own) = (bookmark.storeID.uuidString.lowercased(), self.storeID.uuidString.lowercased())
            throw .revisionOutOfRange("The revision belongs to the store \(other), and this is \(own).")
        }
        guard bookmark.revision >= 0, bookmark.revision <= self.revision.rawValue else {
            throw .revisionOutOfRange(
                "Revision \(bookmark.revision) is not of this history, which has come to \(self.revision.rawValue).")
        }
        guard try self.feedStart().rawValue <= bookmark.revision else { throw .revisionCompacted(bookmark) }
        if let retirement = try self.retirement(ofProject: slug), bookmark.revision < retirement.rawValue {
            throw .revisionOutOfRange(
                "Project \(quoted(slug)) has been deleted and made again since revision \(bookmark.revision).")
        }
    }
}

extension RegistryError {
    static func revisionCompacted(_ bookmark: Bookmark) -> RegistryError {
        .revisionOutOfRange("What has changed since revision \(bookmark.revision) is not known any more.")
    }

    static func revisionOutOfRange(_ problem: String) -> RegistryError {
        RegistryError(
            .outOfRange, .revisionOutOfRange, "\(problem) Watch without store_id and from_revision to begin anew.")
    }

    /// A watcher does not keep up with the changes; it may go on from the bookmark, once it reads again.
    package static func watcherTooSlow(_ bookmark: Bookmark, limits: Limits) -> RegistryError {
        let (count, byteCount) = (limits.watchBacklogCountMax, limits.watchBacklogByteCountMax)
        return RegistryError(
            .resourceExhausted, .watcherTooSlow,
            """
            The watcher is more than \(count) changes (watch_backlog) or \(byteCount) bytes (watch_backlog_bytes) behind. \
            Resume from revision \(bookmark.revision).
            """, bookmark: bookmark)
    }
}
