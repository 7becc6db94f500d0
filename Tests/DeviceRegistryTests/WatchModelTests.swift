// Random changes and random watchers: what each was told is exactly what matches.

import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct WatchModelTests {
    /// Watches with filters, breaks off and goes on, while devices change and the registry restarts.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func whatAWatcherWasToldIsWhatMatchesAtEveryBookmark(seed: UInt64) async throws {
        var random = SeededGenerator(seed: 7_000 + seed)
        var limits = Limits()
        // Now and then nearly all of it comes from the log of the store.
        limits.watchBacklogCountMax = [2, 20, 1_000][Int(seed % 3)]
        limits.watchHeartbeatNanoseconds = 0
        var run = WatchRun(fixture: try RegistryFixture(limits: limits))
        for slug in ["c0", "c1"] { try await run.fixture.perform(.createCohort(slug: slug, name: slug)) }
        for _ in 0..<10 { try await run.mutate(&random) }
        // A key exists before a filter can ask for it.
        try await run.setAttribute(&random)
        for number in 0..<8 { run.watchers.append(WatchedSet(number: number)) }
        for step in 0..<250 {
            try await run.mutate(&random)
            if random.oneIn(40) { try await run.restart() }
            for index in run.watchers.indices where random.oneIn(6) {
                try await run.turn(index, &random, "seed \(seed), step \(step), watcher \(index)")
            }
        }
        for index in run.watchers.indices {
            try await run.catchUp(index, &random, "seed \(seed), end, watcher \(index)")
        }
        #expect(run.watchers.map(\.eventCount).reduce(0, +) > 50)
    }
}

/// What one watcher believes, from what it was told alone.
private final class WatchedSet {
    let number: Int
    var watch: DeviceWatch?
    var devices: [Int64: Device] = [:]
    /// Where it would go on; nil before the first bookmark.
    var bookmark: Bookmark?
    var eventCount = 0
    var lastRevision: Int64 = 0

    init(number: Int) {
        self.number = number
    }

    var withAttributes: Bool { self.number % 2 == 1 }

    var filter: DeviceFilter {
        var filter = DeviceFilter()
        switch self.number {
        case 0: break
        case 1: filter.cohorts = ["c1"]
        case 2: filter.releases = ["r1", "r2"]
        case 3: filter.expression = "attributes.level >= 2"
        case 4: filter.expression = "NOT owner_ref = owner1 last_seen:*"
        case 5: filter.expression = "attributes.level:* OR release = r0"
        case 6: filter.deviceSerials = ["D1", "D2", "D3"]
        default: filter.expression = "hardware_version = \"hw*\" release.revision = \"\""
        }
        return filter
    }

    /// The tests of the filter once more, plainly.
    func matches(_ device: Device) -> Bool {
        let release = device.lastSeenRelease
        let level = device.attributes.first { $0.customMetric.stringKey == "level" }?.state.value
        switch self.number {
        case 0: return true
        case 1: return device.cohort.slug == "c1"
        case 2: return release?.version == "r1" || release?.version == "r2"
        case 3:
            guard case .int(let number) = level else { return false }
            return number >= 2
        case 4: return device.ownerRef != "owner1" && device.lastSeen != nil
        case 5: return level != nil || release?.version == "r0"
        case 6: return ["D1", "D2", "D3"].contains(device.deviceSerial)
        default: return device.hardwareVersion.hasPrefix("hw") && release?.revision == ""
        }
    }
}

private struct WatchRun {
    var fixture: RegistryFixture
    var watchers: [WatchedSet] = []
    /// Every device at every revision, by id.
    private var history: [Int64: [Int64: Device]] = [:]

    init(fixture: RegistryFixture) {
        self.fixture = fixture
        self.remember()
    }

    // MARK: Changes

    mutating func mutate(_ random: inout SeededGenerator) async throws {
        self.fixture.clock.advance(microseconds: 1)
        let serial = "D\(Int.random(in: 0..<14, using: &random))"
        let cohort = "c\(Int.random(in: 0..<2, using: &random))"
        let owner = "owner\(Int.random(in: 0..<3, using: &random))"
        let mutation: Mutation =
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1, 2:
                .createDevice(DeviceCreation(serial: serial, ownerRef: owner, hardwareVersion: "hw1", cohort: cohort))
            case 3, 4: .updateDevice(DeviceUpdate(serial: serial, ownerRef: owner, cohort: cohort))
            case 5: .deleteDevice(DeviceDeletion(serial: serial))
            default:
                .checkIn(
                    CheckIn(
                        serial: serial,
                        release: ReleaseName(version: "r\(Int.random(in: 0..<4, using: &random))", revision: "")))
            }
        // Many are refused, for want of the device or for having it.
        _ = try? await self.fixture.perform(mutation)
        self.remember()
        if random.oneIn(4) { try await self.setAttribute(&random) }
        if random.oneIn(10) { try await self.replaceCohort() }
    }

    mutating func setAttribute(_ random: inout SeededGenerator) async throws {
        guard let serial = self.present.values.map(\.deviceSerial).sorted().randomElement(using: &random) else {
            return
        }
        let value: AttributeValue? = random.oneIn(3) ? nil : .int(Int64.random(in: 0..<4, using: &random))
        try await self.fixture.perform(
            .updateAttributes(
                AttributesUpdate(
                    serial: serial,
                    updates: [
                        AttributeUpdate(key: "level", value: value), AttributeUpdate(key: "kept", value: .bool(true)),
                    ])))
        self.remember()
    }

    /// A cohort that is empty goes, and one of the same name comes.
    private mutating func replaceCohort() async throws {
        guard !self.present.values.contains(where: { $0.cohort.slug == "c1" }) else { return }
        try await self.fixture.perform(.deleteCohort(slug: "c1", allowMissing: false))
        try await self.fixture.perform(.createCohort(slug: "c1", name: "c1"))
    }

    mutating func restart() async throws {
        for watcher in self.watchers { watcher.watch = nil }
        self.fixture = try self.fixture.restarted()
    }

    private var present: [Int64: Device] {
        let registry = self.fixture.registry
        return registry.read { index in
            var devices: [Int64: Device] = [:]
            guard let project = index.project(slug: "default"),
                let walk = try? DeviceWalk(DeviceFilter(), in: project.id, of: index, now: .epoch)
            else { return devices }
            while walk.advance(
                index,
                each: { device in
                    devices[device.id.rawValue] = Device(device, storeTag: registry.storeTag)
                    return true
                }) == .unfinished
            {}
            return devices
        }
    }

    private mutating func remember() {
        self.history[self.fixture.registry.revision.rawValue] = self.present
    }

    // MARK: Watchers

    /// Begins, goes on, breaks off, or reads to the present.
    mutating func turn(_ index: Int, _ random: inout SeededGenerator, _ place: String) async throws {
        let watcher = self.watchers[index]
        guard let watch = watcher.watch else { return try await self.begin(watcher, &random, place) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: watcher.watch = nil
        case 1: try await self.read(watcher, watch, through: 0, place)
        default: try await self.catchUp(index, &random, place)
        }
    }

    private mutating func begin(_ watcher: WatchedSet, _ random: inout SeededGenerator, _ place: String) async throws {
        let registry = self.fixture.registry
        let watch = try await registry.watch(
            watcher.filter, in: "default", from: watcher.bookmark, withAttributes: watcher.withAttributes)
        if watcher.bookmark == nil {
            watcher.devices = [:]
            watcher.lastRevision = watch.bookmark.revision
            var isMore = true
            while isMore {
                var rest = Int.random(in: 1...4, using: &random)
                isMore = try watch.advanceSnapshot { device in
                    guard rest > 0 else { return false }
                    rest -= 1
                    let isNew =
                        watcher.devices.updateValue(
                            Device(device, storeTag: registry.storeTag, withAttributes: watcher.withAttributes),
                            forKey: device.id.rawValue) == nil
                    #expect(isNew, "\(place)")
                    return true
                }
                try await self.mutate(&random)
            }
        }
        watcher.watch = watch
    }

    mutating func catchUp(_ index: Int, _ random: inout SeededGenerator, _ place: String) async throws {
        let watcher = self.watchers[index]
        if watcher.watch == nil { try await self.begin(watcher, &random, place) }
        guard let watch = watcher.watch else { return }
        try await self.read(watcher, watch, through: self.fixture.registry.revision.rawValue, place)
    }

    /// Reads on until a bookmark at `revision` or later; from 0, one step only.
    private func read(
        _ watcher: WatchedSet, _ watch: DeviceWatch, through revision: Int64, _ place: String
    ) async throws {
        while true {
            let step: DeviceWatch.Step
            do {
                step = try await watch.next()
            } catch let error as RegistryError {
                #expect(error.reason == .watcherTooSlow, "\(place): \(error)")
                #expect(error.bookmark != nil, "\(place)")
                watcher.bookmark = error.bookmark
                watcher.watch = nil
                return
            }
            switch step {
            case .events(let events):
                for event in events { self.apply(event, to: watcher, place) }
            case .bookmark(let bookmark):
                #expect(bookmark.revision >= watcher.lastRevision, "\(place)")
                watcher.bookmark = bookmark
                let expected = try #require(self.history[bookmark.revision], "\(place)").values.filter(watcher.matches)
                let told = watcher.devices.values.map(\.deviceSerial).sorted()
                #expect(told == expected.map(\.deviceSerial).sorted(), "\(place) at \(bookmark.revision)")
                for device in expected {
                    let told = watcher.devices[device.id]
                    #expect(told == device.seen(withAttributes: watcher.withAttributes, told), "\(place)")
                }
                if bookmark.revision >= revision { return }
            }
            if revision == 0 { return }
        }
    }

    private func apply(_ event: WatchedEvent, to watcher: WatchedSet, _ place: String) {
        watcher.eventCount += 1
        #expect(event.revision.rawValue > watcher.lastRevision, "\(place)")
        watcher.lastRevision = event.revision.rawValue
        if var bookmark = watcher.bookmark {
            // From an event one may go on as from a bookmark.
            bookmark.revision = event.revision.rawValue
            watcher.bookmark = bookmark
        }
        let device = event.device
        let known = watcher.devices[device.id] != nil
        switch event.kind {
        case .entered:
            #expect(!known, "\(place): \(device.deviceSerial) enters twice")
            watcher.devices[device.id] = device
        case .changed:
            #expect(known, "\(place): \(device.deviceSerial) changes before it enters")
            watcher.devices[device.id] = device
        case .left:
            #expect(known, "\(place): \(device.deviceSerial) leaves before it enters")
            watcher.devices[device.id] = nil
        }
        if event.kind != .left {
            let state = self.history[event.revision.rawValue]?[device.id]
            #expect(device == state?.seen(withAttributes: watcher.withAttributes, device), "\(place)")
        }
    }
}

extension Device {
    fileprivate init(_ device: BorrowedDevice, storeTag: UInt32, withAttributes: Bool = true) {
        self.init(device.record, storeTag: storeTag)
        guard withAttributes else { return }
        device.forEachAttribute { key, state in
            self.attributes.append(Attribute(customMetric: key.metric, state: state))
        }
    }

    /// The device as a watcher may be told of it: a filter on attributes brings them even where nobody asked.
    fileprivate func seen(withAttributes: Bool, _ told: Device?) -> Device {
        var device = self
        if !withAttributes, told?.attributes.isEmpty ?? true { device.attributes = [] }
        return device
    }
}
