// Everything that the registry answers from: the projects with their devices.

package import DeviceModel
package import FoundationEssentials

/// The whole registry in memory.
///
/// ## Concurrency
/// The index has no lock of its own. Its owner holds it under one reader-writer lock: any number of threads may call what does not
/// mutate it at the same time, for a read writes nothing but notes of its own, atomically; what mutates it runs alone. A
/// ``BorrowedDevice`` is used within the hold under which it was obtained.
package struct RegistryIndex: ~Copyable {
    /// The history that page tokens are bound to.
    package let storeID: UUID
    package let limits: Limits
    /// What etags carry of ``storeID``.
    let storeTag: UInt32
    /// Tells this index from one that was read from the store in its place.
    let identity = UInt64.random(in: .min ... .max)
    /// Queries that are answered in slices, to be told of every change.
    let walks = LongWalks()

    /// Ascending by id.
    private var slots: Column<Slot>
    private var slugs: TextDictionary
    /// By the slug's code.
    private var idsBySlug: Column<ProjectID>
    private let seed: UInt64

    /// A fleet lies at an address of its own, so that a ``BorrowedDevice`` can point to it.
    private struct Slot: BitwiseCopyable {
        var id: ProjectID
        var fleet: UnsafeMutablePointer<Fleet>
    }

    package init(storeID: UUID, limits: Limits) {
        self.storeID = storeID
        self.limits = limits
        self.storeTag = Etag.storeTag(of: storeID)
        // A seed that a caller cannot know keeps chosen serials from falling into one slot.
        self.seed = UInt64.random(in: .min ... .max)
        self.slots = Column()
        self.slugs = TextDictionary(seed: self.seed, dropsUnused: false)
        self.idsBySlug = Column()
    }

    deinit {
        for index in 0..<self.slots.count {
            self.slots.base[index].fleet.deinitialize(count: 1)
            self.slots.base[index].fleet.deallocate()
        }
    }

    // MARK: Projects

    package var projectCount: Int { self.slots.count }

    /// The project with this slug; an empty one means `default`. - Complexity: O(length of the slug), no allocation.
    package func project(slug: UnsafeRawBufferPointer) -> ProjectID? {
        if slug.isEmpty {
            return Project.defaultSlug.withBytes { self.slugs.code(of: $0) }.map { self.idsBySlug[Int($0)] }
        }
        return self.slugs.code(of: slug).map { self.idsBySlug[Int($0)] }
    }

    /// The project with this slug; an empty one means `default`.
    package func project(slug: some StringProtocol) -> ProjectRecord? {
        String(slug).withBytes { self.project(slug: $0) }.flatMap { self.project(id: $0) }
    }

    package func project(id: ProjectID) -> ProjectRecord? {
        self.fleet(id)?.pointee.record
    }

    /// Up to `limit` projects by id, from the first one after `previous`.
    package func projects(after previous: ProjectID?, limit: Int) -> [ProjectRecord] {
        let start = previous.map { self.placement(of: ProjectID(rawValue: $0.rawValue), inclusive: true) } ?? 0
        return (start..<min(self.slots.count, start + limit)).map { self.slots[$0].fleet.pointee.record }
    }

    // MARK: Devices

    /// - Complexity: O(length of the serial), no allocation.
    package func device(serial: UnsafeRawBufferPointer, in project: ProjectID) -> BorrowedDevice? {
        guard let fleet = self.fleet(project), let row = fleet.pointee.row(serial: serial) else { return nil }
        return BorrowedDevice(row, of: fleet)
    }

    /// - Complexity: O(log n).
    package func device(id: DeviceID, in project: ProjectID) -> BorrowedDevice? {
        guard let fleet = self.fleet(project), let row = fleet.pointee.row(id: id) else { return nil }
        return BorrowedDevice(row, of: fleet)
    }

    package func deviceCount(in project: ProjectID) -> Int {
        self.fleet(project)?.pointee.deviceCount ?? 0
    }

    // MARK: Fleets

    /// The fleet of a project, to read. - Complexity: O(log of the count of projects).
    @inline(__always)
    func fleet(_ project: ProjectID) -> UnsafePointer<Fleet>? {
        let index = self.placement(of: project, inclusive: false)
        guard index < self.slots.count, self.slots.base[index].id.rawValue == project.rawValue else { return nil }
        return UnsafePointer(self.slots.base[index].fleet)
    }

    /// The fleet of a project that exists, to change: the caller has the index to itself.
    mutating func mutableFleet(_ project: ProjectID) -> UnsafeMutablePointer<Fleet> {
        let index = self.placement(of: project, inclusive: false)
        precondition(
            index < self.slots.count && self.slots[index].id == project, "a change names a project that does not exist")
        return self.slots[index].fleet
    }

    mutating func mutableFleet(at index: Int) -> UnsafeMutablePointer<Fleet> {
        self.slots[index].fleet
    }

    func fleet(at index: Int) -> UnsafePointer<Fleet> {
        UnsafePointer(self.slots[index].fleet)
    }

    /// How many projects come before `id`, itself counted if `inclusive`.
    @inline(__always)
    private func placement(of id: ProjectID, inclusive: Bool) -> Int {
        var low = 0
        var high = self.slots.count
        while low < high {
            let middle = (low + high) >> 1
            let candidate = self.slots.base[middle].id.rawValue
            if candidate < id.rawValue || (inclusive && candidate == id.rawValue) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    mutating func insert(_ project: ProjectRecord) throws(IndexError) {
        let isKnown = project.slug.withBytes { self.slugs.code(of: $0) } != nil
        guard !isKnown, self.fleet(project.id) == nil else {
            throw IndexError("project \(project.id.rawValue): its id or its slug \(quoted(project.slug)) is taken")
        }
        let fleet = UnsafeMutablePointer<Fleet>.allocate(capacity: 1)
        fleet.initialize(to: Fleet(project, seed: self.seed))
        self.slots.insert(Slot(id: project.id, fleet: fleet), at: self.placement(of: project.id, inclusive: false))
        let code = project.slug.withBytes { self.slugs.intern($0) }
        if Int(code) == self.idsBySlug.count {
            self.idsBySlug.append(project.id)
        } else {
            self.idsBySlug[Int(code)] = project.id
        }
    }

    mutating func remove(_ project: ProjectID) {
        let fleet = self.mutableFleet(project)
        precondition(fleet.pointee.deviceCount == 0, "a project is deleted that has devices")
        guard let code = fleet.pointee.record.slug.withBytes({ self.slugs.code(of: $0) }) else {
            preconditionFailure("the slug of a project is known")
        }
        self.slugs.remove(code)
        self.slots.remove(at: self.placement(of: project, inclusive: false))
        fleet.deinitialize(count: 1)
        fleet.deallocate()
    }
}

// The fleets are reached through pointers, which the compiler cannot follow. They belong to this value alone, and the reader-writer
// lock of the registry, under which the index lies, keeps changes apart from reads.
extension RegistryIndex: @unchecked Sendable {}
