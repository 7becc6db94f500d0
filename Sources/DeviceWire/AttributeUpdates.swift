// rollcall.v1.AttributeUpdate: a value to write, or to unset.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension FieldCheck {
    /// The entries of a request's `attributes`, each key checked, and each at most once without regard to case.
    package mutating func attributeUpdates(
        _ messages: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__AttributeUpdate>?>?,
        count: Int,
        limits: Limits
    ) -> [AttributeUpdate] {
        guard count > 0 else { return [] }
        guard count <= limits.attributeKeyCountMaxPerProject else {
            self.refuse(
                "attributes",
                "must hold at most \(limits.attributeKeyCountMaxPerProject) entries, as many as a project has keys")
            return []
        }
        var updates: [AttributeUpdate] = []
        updates.reserveCapacity(count)
        var indexByKey: [String: Int] = [:]
        for (index, message) in elements(messages, count: count).enumerated() {
            let field = "attributes[\(index)]"
            let key = message.pointee.string_key.string
            self.attributeKey(key, field: "\(field).string_key")
            if let first = indexByKey.updateValue(index, forKey: CustomMetric.folded(key)) {
                self.refuse("\(field).string_key", "is the key of attributes[\(first)] too; give each key once")
            }
            let value = message.pointee.value.flatMap { AttributeValue(from: $0) }
            if let value {
                self.attributeValue(value, field: "\(field).value")
            }
            let time = self.timestamp(message.pointee.time, field: "\(field).time")
            updates.append(AttributeUpdate(key: key, value: value, time: time))
        }
        return updates
    }
}

extension Arena {
    /// Entries as a repeated field's pointers.
    package func messages(
        _ updates: [AttributeUpdate]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__AttributeUpdate>?> {
        self.pointers(updates) { update in
            let message = self.make(Messages.attributeUpdate)
            message.pointee.string_key = self.text(update.key)
            if let value = update.value {
                message.pointee.value = self.message(value)
            }
            if let time = update.time {
                message.pointee.time = self.message(time)
            }
            return message
        }
    }
}
