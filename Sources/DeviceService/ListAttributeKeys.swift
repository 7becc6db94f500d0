// rollcall.v1.Projects/ListAttributeKeys

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of a project's attribute keys, by key without regard to case.
    var listAttributeKeys: Method {
        self.listing(
            .projects("ListAttributeKeys"), Messages.listAttributeKeysRequest, Messages.listAttributeKeysResponse,
            count: { index, project in index.attributeKeyCount(in: project) },
            items: { index, project, after, limit in index.attributeKeys(in: project, after: after, limit: limit) },
            place: { CustomMetric.folded($0.record.metric.stringKey) },
            message: { arena, key in
                arena.message(AttributeKey(customMetric: key.record.metric, deviceCount: Int64(key.deviceCount)))
            }
        )
    }
}
