// rollcall.v1.HardwareVersion and AttributeKey, and the lists of what the devices of a project have in common.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension Arena {
    /// `version` as a message.
    package func message(_ version: HardwareVersion) -> UnsafeMutablePointer<Rollcall__V1__HardwareVersion> {
        let message = self.make(Messages.hardwareVersion)
        message.pointee.hardware_version = self.text(version.hardwareVersion)
        message.pointee.count_devices = version.deviceCount
        return message
    }

    /// `key` as a message.
    package func message(_ key: AttributeKey) -> UnsafeMutablePointer<Rollcall__V1__AttributeKey> {
        let message = self.make(Messages.attributeKey)
        message.pointee.custom_metric = self.message(key.customMetric)
        message.pointee.count_devices = key.deviceCount
        return message
    }
}

extension HardwareVersion {
    package init(from message: UnsafePointer<Rollcall__V1__HardwareVersion>) {
        self.init(
            hardwareVersion: message.pointee.hardware_version.string, deviceCount: message.pointee.count_devices)
    }
}

extension AttributeKey {
    /// - Throws: ``WireValueError`` where the custom metric is absent, its id is no UUID, or its type is unknown.
    package init(from message: UnsafePointer<Rollcall__V1__AttributeKey>) throws(WireValueError) {
        self.init(
            customMetric: try CustomMetric(from: required(message.pointee.custom_metric, "custom_metric")),
            deviceCount: message.pointee.count_devices
        )
    }
}

extension Page<Release> {
    package init(from message: UnsafePointer<Rollcall__V1__ListReleasesResponse>) {
        let message = message.pointee
        let items = elements(message.releases, count: message.n_releases).map { Release(from: $0) }
        self.init(items, endingAs: message)
    }
}

extension Page<HardwareVersion> {
    package init(from message: UnsafePointer<Rollcall__V1__ListHardwareVersionsResponse>) {
        let message = message.pointee
        let versions = elements(message.hardware_versions, count: message.n_hardware_versions)
        self.init(versions.map { HardwareVersion(from: $0) }, endingAs: message)
    }
}

extension Page<AttributeKey> {
    /// - Throws: ``WireValueError`` naming a field of a key that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__ListAttributeKeysResponse>) throws(WireValueError) {
        let message = message.pointee
        self.init([], endingAs: message)
        for key in elements(message.attribute_keys, count: message.n_attribute_keys) {
            self.items.append(try AttributeKey(from: key))
        }
    }
}
