// ImportDevices and ExportDevices.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension FieldCheck {
    /// Which devices an export chooses; where a field is bad, another value stands in for it.
    package mutating func exportFilter(_ message: UnsafePointer<Rollcall__V1__ExportDevicesRequest>) -> DeviceFilter {
        self.deviceFilter(message.pointee)
    }

    /// The attributes of a device that is imported, each key checked, and each at most once without regard to case.
    package mutating func importedAttributes(
        _ messages: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__Attribute>?>?, count: Int, limits: Limits
    ) -> [AttributeUpdate] {
        guard count > 0 else { return [] }
        guard count <= limits.attributeKeyCountMaxPerDevice else {
            self.refuse("attributes", "must hold at most \(limits.attributeKeyCountMaxPerDevice), not \(count)")
            return []
        }
        var updates: [AttributeUpdate] = []
        updates.reserveCapacity(count)
        var indexByKey: [String: Int] = [:]
        for (index, message) in elements(messages, count: count).enumerated() {
            let update = self.importedAttribute(message, field: "attributes[\(index)]")
            if let first = indexByKey.updateValue(index, forKey: CustomMetric.folded(update.key)) {
                self.refuse(
                    "attributes[\(index)].custom_metric.string_key",
                    "is the key of attributes[\(first)] too; give each key once")
            }
            updates.append(update)
        }
        return updates
    }

    private mutating func importedAttribute(
        _ message: UnsafePointer<Rollcall__V1__Attribute>, field: String
    ) -> AttributeUpdate {
        let metric = message.pointee.custom_metric?.pointee
        let state = message.pointee.state?.pointee
        let key = metric?.string_key.string ?? ""
        self.attributeKey(key, field: "\(field).custom_metric.string_key")
        var value = state?.value.flatMap { AttributeValue(from: $0) }
        let dataType = metric.flatMap { DataType($0.data_type) }
        if dataType == .float, case .int(let number) = value { value = .float(Double(number)) }
        if let value {
            self.attributeValue(value, field: "\(field).state.value")
            if let dataType, dataType != value.dataType {
                self.refuse("\(field).state.value", "must be \(dataType), as its data_type says, not \(value.dataType)")
            }
        } else {
            self.refuse("\(field).state.value", "must be given")
        }
        let time = self.timestamp(state?.time, field: "\(field).state.time")
        return AttributeUpdate(key: key, value: value, time: time)
    }
}

// MARK: - As a caller builds and reads them

extension Arena {
    /// An ExportDevices request.
    package func exportDevicesRequest(
        project: String, filter: DeviceFilter, view: DeviceView
    ) -> UnsafeMutablePointer<Rollcall__V1__ExportDevicesRequest> {
        let request = self.make(Messages.exportDevicesRequest)
        request.pointee.project = self.text(project)
        self.set(filter, in: request)
        request.pointee.view = view.wire
        return request
    }

    /// The settings of an import, with no item yet.
    package func importDevicesRequest(
        project: String, mode: ImportMode, validateOnly: Bool
    ) -> UnsafeMutablePointer<Rollcall__V1__ImportDevicesRequest> {
        let request = self.make(Messages.importDevicesRequest)
        request.pointee.project = self.text(project)
        request.pointee.mode =
            switch mode {
            case .create: ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_CREATE
            case .upsert: ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_UPSERT
            }
        request.pointee.validate_only = validateOnly ? 1 : 0
        return request
    }

    /// One item of an import, in a message without settings.
    package func importDevicesRequest(
        item: ImportItem
    ) -> UnsafeMutablePointer<Rollcall__V1__ImportDevicesRequest> {
        let request = self.make(Messages.importDevicesRequest)
        request.pointee.items = self.makePointerArray(count: 1)
        request.pointee.items[0] = self.message(item)
        request.pointee.n_items = 1
        return request
    }

    private func message(_ item: ImportItem) -> UnsafeMutablePointer<Rollcall__V1__ImportItem> {
        let device = self.make(Messages.device)
        device.pointee.device_serial = self.text(item.serial)
        device.pointee.owner_ref = self.text(item.ownerRef)
        device.pointee.hardware_version = self.text(item.hardwareVersion)
        if let slug = item.cohort {
            let cohort = self.make(Messages.cohort)
            cohort.pointee.slug = self.text(slug)
            device.pointee.cohort = cohort
        }
        device.pointee.last_seen = item.lastSeen.map { self.message($0) }
        device.pointee.last_seen_release = item.release.map { self.message($0) }
        device.pointee.attributes = self.pointers(item.attributes) { self.attribute($0) }
        device.pointee.n_attributes = item.attributes.count
        let message = self.make(Messages.importItem)
        message.pointee.device = device
        message.pointee.create_cohort = item.createsCohort ? 1 : 0
        return message
    }

    private func attribute(_ update: AttributeUpdate) -> UnsafeMutablePointer<Rollcall__V1__Attribute> {
        let attribute = self.make(Messages.attribute)
        let metric = self.make(Messages.customMetric)
        metric.pointee.string_key = self.text(update.key)
        attribute.pointee.custom_metric = metric
        let state = self.make(Messages.attributeState)
        state.pointee.value = update.value.map { self.message($0) }
        state.pointee.time = update.time.map { self.message($0) }
        attribute.pointee.state = state
        return attribute
    }
}

extension [Device] {
    /// - Throws: ``WireValueError`` naming a field of a device that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__ExportDevicesResponse>) throws(WireValueError) {
        self = []
        self.reserveCapacity(message.pointee.n_devices)
        for device in elements(message.pointee.devices, count: message.pointee.n_devices) {
            self.append(try Device(from: device))
        }
    }
}
