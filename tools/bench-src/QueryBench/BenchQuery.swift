// A parameter set, and what answering it comes to.

internal import DeviceModel
internal import DeviceQuery

/// A parameter set, as the engine takes it. It lies where it is: neither copied nor retained while its time is taken.
protocol BenchQuery: AnyObject {
    /// The answer in full: ids of a page, a count, or groups with theirs.
    func items(_ index: borrowing RegistryIndex) throws(InvalidFields) -> [String]

    /// What the answer adds up to.
    func sum(_ index: borrowing RegistryIndex) throws(InvalidFields) -> Int64
}

final class BenchList: BenchQuery {
    private let query: ListQuery
    private let project = DeviceFile.project
    private let now = DeviceFile.createdDate

    init(_ query: ListQuery) {
        self.query = query
    }

    func items(_ index: borrowing RegistryIndex) throws(InvalidFields) -> [String] {
        var items: [String] = []
        _ = try index.list(self.query, in: self.project, now: self.now) { device in
            items.append("\(device.id.rawValue)")
            return true
        }
        return items
    }

    func sum(_ index: borrowing RegistryIndex) throws(InvalidFields) -> Int64 {
        var sum: Int64 = 0
        _ = try index.list(self.query, in: self.project, now: self.now, readsTexts: false) { device in
            sum &+= device.id.rawValue
            return true
        }
        return sum
    }
}

final class BenchCount: BenchQuery {
    private let query: CountQuery
    private let project = DeviceFile.project
    private let now = DeviceFile.createdDate

    init(_ query: CountQuery) {
        self.query = query
    }

    func items(_ index: borrowing RegistryIndex) throws(InvalidFields) -> [String] {
        var groups: [String] = []
        let summary = try index.count(self.query, in: self.project, now: self.now) { group in
            groups.append(Self.json(group))
            return true
        }
        return self.query.groupBy.isEmpty ? ["\(summary.count)"] : groups
    }

    func sum(_ index: borrowing RegistryIndex) throws(InvalidFields) -> Int64 {
        var sum: Int64 = 0
        let summary = try index.count(self.query, in: self.project, now: self.now) { group in
            sum &+= group.count
            return true
        }
        return self.query.groupBy.isEmpty ? summary.count : sum
    }

    private static func json(_ group: BorrowedGroup) -> String {
        guard case .text(let text) = group.first else { return "[null, \(group.count)]" }
        return "[\"\(String(decoding: text, as: UTF8.self))\", \(group.count)]"
    }
}
