// A small fleet that queries are asked of.

internal import DeviceModel
internal import DeviceQuery
internal import RollcallTesting
internal import Synchronization

/// Devices from a seed, in an index and in the oracle that judges it.
final class FuzzFleet: Sendable {
    static let shared = FuzzFleet(seed: 11, deviceCount: 60)

    let limits = Limits()
    /// Makes queries that suit the fleet; a copy goes on by itself.
    let generator: FleetGenerator
    private let index: Mutex<RegistryIndex>
    /// By their texts in lower case.
    private let keys: [String: AttributeKeyRecord]

    private init(seed: UInt64, deviceCount: Int) {
        var generator = FleetGenerator(seed: seed)
        var changes = generator.catalog()
        for _ in 0..<deviceCount { changes += generator.creation() }
        for _ in 0..<2 * deviceCount { changes += generator.mutation() }
        var index = RegistryIndex(storeID: FleetGenerator.storeID, limits: self.limits)
        for change in changes { index.apply(change) }
        self.index = Mutex(index)
        self.keys = Dictionary(
            uniqueKeysWithValues: generator.attributeKeys.map { (CustomMetric.folded($0.metric.stringKey), $0) })
        self.generator = generator
    }

    var attributeKeys: [AttributeKeyRecord] { self.generator.attributeKeys }

    func parse(_ text: String) throws(InvalidFields) -> FilterExpression? {
        try FilterParser(limits: self.limits).parse(
            text, attributeKey: { self.keys[CustomMetric.folded($0)] }, attributeKeyNames: { Array(self.keys.keys) })
    }

    /// One page as ids.
    func page(
        _ query: ListQuery, forcedPlan: QueryExplanation.Plan? = nil
    ) throws(InvalidFields) -> (ids: [DeviceID], page: ListPage) {
        var ids: [DeviceID] = []
        let page = try self.index.withLock { index throws(InvalidFields) in
            try index.list(
                query, in: FleetGenerator.project, now: self.generator.now, planning: Planning(forcedPlan: forcedPlan)
            ) { device in
                ids.append(device.id)
                return true
            }
        }
        return (ids, page)
    }

    /// The whole list, by the oracle.
    func expected(_ query: ListQuery, _ tree: FilterExpression? = nil) -> [DeviceID] {
        self.generator.oracle.list(query, tree: tree, now: self.generator.now).map(\.id)
    }
}
