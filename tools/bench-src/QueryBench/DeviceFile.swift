// Reading the bench's devices into an index.

internal import DeviceModel
internal import DeviceQuery
internal import FoundationEssentials
internal import Glibc

/// A mapped file with a line for each device: id, serial, owner, hardware version, cohort, last seen, version.
struct DeviceFile: ~Copyable {
    static let project = ProjectID(rawValue: 1)
    /// When every device was created.
    static let createdDate = Timestamp.epoch
    private static let fieldCount = 7

    private let bytes: UnsafeRawBufferPointer
    private let path: String

    init(_ path: String) throws(BenchError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_size > 0,
            let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
        else {
            throw BenchError("\(path) cannot be read")
        }
        self.bytes = UnsafeRawBufferPointer(start: start, count: Int(status.st_size))
        self.path = path
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: self.bytes.baseAddress), self.bytes.count)
    }

    func index() throws -> RegistryIndex {
        var index = RegistryIndex(storeID: UUID(), limits: Limits())
        try index.load(ProjectRecord(id: Self.project, slug: "default", name: "Default", createdDate: Self.createdDate))
        var cohorts: [String: CohortID] = [:]
        var releases: [String: ReleaseID] = [:]
        var at = 0
        while at < self.bytes.count {
            let fields = try self.line(&at)
            let slug = String(decoding: fields[4], as: UTF8.self)
            if cohorts[slug] == nil {
                let id = CohortID(rawValue: Int64(cohorts.count) + 1)
                cohorts[slug] = id
                try index.load(CohortRecord(id: id, project: Self.project, slug: slug, name: slug))
            }
            var sighting = Sighting()
            if !fields[5].isEmpty {
                let version = String(decoding: fields[6], as: UTF8.self)
                if releases[version] == nil {
                    let id = ReleaseID(rawValue: Int64(releases.count) + 1)
                    releases[version] = id
                    try index.load(ReleaseRecord(id: id, project: Self.project, version: version, revision: ""))
                }
                sighting.lastSeen = Timestamp(seconds: try self.number(fields[5]), nanoseconds: 0)
                sighting.release = releases[version]
            }
            try index.insert(
                id: DeviceID(rawValue: self.number(fields[0])), project: Self.project,
                createdDate: Self.createdDate, updatedDate: Self.createdDate, etagRevision: .zero,
                cohort: cohorts[slug] ?? CohortID(rawValue: 0), sighting: sighting,
                serial: fields[1], ownerRef: fields[2], hardwareVersion: fields[3]
            )
        }
        return index
    }

    /// The fields of the line at `at`, which moves on to the next line.
    private func line(_ at: inout Int) throws(BenchError) -> InlineArray<7, UnsafeRawBufferPointer> {
        var fields = InlineArray<7, UnsafeRawBufferPointer>(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
        for index in 0..<Self.fieldCount {
            let start = at
            let end: UInt8 = index == Self.fieldCount - 1 ? 0x0A : 0x09
            while at < self.bytes.count, self.bytes[at] != end { at += 1 }
            guard at < self.bytes.count else { throw BenchError("\(self.path) ends inside a line") }
            fields[index] = UnsafeRawBufferPointer(rebasing: self.bytes[start..<at])
            at += 1
        }
        return fields
    }

    private func number(_ text: UnsafeRawBufferPointer) throws(BenchError) -> Int64 {
        guard let number = Int64(String(decoding: text, as: UTF8.self)) else {
            throw BenchError("\(self.path) holds a number that is none")
        }
        return number
    }
}
