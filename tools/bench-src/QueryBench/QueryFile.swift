// Reading the bench's parameter sets.

internal import DeviceModel
internal import DeviceQuery
internal import Glibc

/// A file with a line for each parameter set: ten fields between tabs.
///
/// They are the query's name; `list`, `count` or `group`; `newest` or `oldest`; the page's number; second and id of the last device
/// before the page, where it is asked for by token; since and until in seconds; releases, hardware versions and owners, between
/// spaces. What is not asked for is empty.
struct QueryFile {
    private var setsByName: [String: [any BenchQuery]] = [:]

    init(_ path: String, _ index: borrowing RegistryIndex) throws {
        guard let file = fopen(path, "r") else { throw BenchError("\(path) cannot be read") }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let start = line {
            let fields = String(cString: start).split(separator: "\n")[0].split(
                separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 10 else { throw BenchError("\(path) has a line of \(fields.count) fields") }
            let query = try Self.query(fields.map(String.init), index)
            self.setsByName[String(fields[0]), default: []].append(query)
        }
    }

    func sets(_ name: String) throws(BenchError) -> [any BenchQuery] {
        guard let sets = self.setsByName[name] else { throw BenchError("there is no query \(name)") }
        return sets
    }

    private static func query(_ fields: [String], _ index: borrowing RegistryIndex) throws -> any BenchQuery {
        var filter = DeviceFilter()
        filter.lastSeenSince = Int64(fields[5]).flatMap { Timestamp(seconds: $0, nanoseconds: 0) }
        filter.lastSeenUntil = Int64(fields[6]).flatMap { Timestamp(seconds: $0, nanoseconds: 0) }
        filter.releases = Self.values(fields[7])
        filter.hardwareVersions = Self.values(fields[8])
        filter.ownerRefs = Self.values(fields[9])
        guard fields[1] == "list" else {
            var query = CountQuery()
            query.filter = filter
            query.groupBy = fields[1] == "group" ? [.release] : []
            return BenchCount(query)
        }
        var query = ListQuery()
        query.filter = filter
        query.sort = [SortKey(.lastSeen, isDescending: fields[2] == "newest")]
        guard let page = Int64(fields[3]) else { throw BenchError("'\(fields[3])' is not the number of a page") }
        if !fields[4].isEmpty {
            // The token is that of the page before, which is asked for by its number.
            query.position = .number(page - 1)
            let before = try index.list(query, in: DeviceFile.project, now: DeviceFile.createdDate) { _ in true }
            query.position = .token(before.nextPageToken)
        } else if page > 1 {
            query.position = .number(page)
        }
        return BenchList(query)
    }

    private static func values(_ text: String) -> [String] {
        text.split(separator: " ").map(String.init)
    }
}
