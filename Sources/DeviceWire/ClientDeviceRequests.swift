// Requests of the service `rollcall.v1.Devices` as a caller builds them. Each lives as long as the arena's scope.

package import CRollcallProto
package import DeviceModel
package import FoundationEssentials
package import ProtobufC

/// A device's fields as a caller gives them in a create or an update; nil is left out.
package struct DeviceFieldsGiven: Hashable, Sendable {
    package var serial: String
    package var ownerRef: String?
    package var hardwareVersion: String?
    /// The cohort's slug.
    package var cohort: String?
    package var etag: String?

    package init(
        serial: String,
        ownerRef: String? = nil,
        hardwareVersion: String? = nil,
        cohort: String? = nil,
        etag: String? = nil
    ) {
        self.serial = serial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.cohort = cohort
        self.etag = etag
    }

    /// The update mask that names what is given.
    package var paths: [String] {
        [("owner_ref", self.ownerRef), ("hardware_version", self.hardwareVersion), ("cohort", self.cohort)]
            .compactMap { path, value in value == nil ? nil : path }
    }
}

extension Arena {
    /// A CreateDevice request.
    package func createDeviceRequest(
        project: String, device: DeviceFieldsGiven, validateOnly: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__CreateDeviceRequest> {
        let request = self.make(Messages.createDeviceRequest)
        request.pointee.project = self.text(project)
        request.pointee.device = self.message(device)
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A GetDevice request.
    package func getDeviceRequest(
        project: String, serial: String, view: DeviceView
    ) -> UnsafeMutablePointer<Rollcall__V1__GetDeviceRequest> {
        let request = self.make(Messages.getDeviceRequest)
        request.pointee.project = self.text(project)
        request.pointee.device_serial = self.text(serial)
        request.pointee.view = view.wire
        return request
    }

    /// A ListDevices request.
    package func listDevicesRequest(
        project: String, query: ListQuery, view: DeviceView
    ) -> UnsafeMutablePointer<Rollcall__V1__ListDevicesRequest> {
        let request = self.pageRequest(
            Messages.listDevicesRequest, project: project, pageSize: query.pageSize, position: query.position,
            includesTotal: query.includesTotal)
        self.set(query.filter, in: request)
        request.pointee.sort = self.text(
            query.sort.map { ($0.isDescending ? "-" : "") + $0.field.name }.joined(separator: ",")
        )
        request.pointee.view = view.wire
        request.pointee.explain = query.explains ? 1 : 0
        return request
    }

    /// A CountDevices request.
    package func countDevicesRequest(
        project: String, query: CountQuery
    ) -> UnsafeMutablePointer<Rollcall__V1__CountDevicesRequest> {
        let request = self.make(Messages.countDevicesRequest)
        request.pointee.project = self.text(project)
        self.set(query.filter, in: request)
        (request.pointee.group_by, request.pointee.n_group_by) = self.texts(query.groupBy.map(\.name))
        request.pointee.group_limit = Int32(clamping: query.groupLimit)
        request.pointee.explain = query.explains ? 1 : 0
        return request
    }

    /// An UpdateDevice request.
    ///
    /// - Parameter mask: Paths, or `*`; empty leaves the mask out, which means every populated field.
    package func updateDeviceRequest(
        project: String, device: DeviceFieldsGiven, mask: [String], allowMissing: Bool, validateOnly: Bool,
        requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__UpdateDeviceRequest> {
        let request = self.make(Messages.updateDeviceRequest)
        request.pointee.project = self.text(project)
        request.pointee.device = self.message(device)
        request.pointee.update_mask = self.fieldMask(mask)
        request.pointee.allow_missing = allowMissing ? 1 : 0
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A DeleteDevice request.
    package func deleteDeviceRequest(
        project: String, serial: String, etag: String?, allowMissing: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__DeleteDeviceRequest> {
        let request = self.make(Messages.deleteDeviceRequest)
        request.pointee.project = self.text(project)
        request.pointee.device_serial = self.text(serial)
        request.pointee.etag = self.text(etag ?? "")
        request.pointee.allow_missing = allowMissing ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A GetDeviceAttributes request.
    ///
    /// - Parameter keyPattern: With `*` for any characters; empty for all keys.
    package func getDeviceAttributesRequest(
        project: String, serial: String, keyPattern: String
    ) -> UnsafeMutablePointer<Rollcall__V1__GetDeviceAttributesRequest> {
        let request = self.make(Messages.getDeviceAttributesRequest)
        request.pointee.project = self.text(project)
        request.pointee.device_serial = self.text(serial)
        request.pointee.key_pattern = self.text(keyPattern)
        return request
    }

    /// An UpdateDeviceAttributes request.
    ///
    /// - Parameter replaces: Whether attributes that are not named are unset.
    package func updateDeviceAttributesRequest(
        project: String, serial: String, attributes: [AttributeUpdate], replaces: Bool, etag: String?, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__UpdateDeviceAttributesRequest> {
        let request = self.make(Messages.updateDeviceAttributesRequest)
        request.pointee.project = self.text(project)
        request.pointee.device_serial = self.text(serial)
        request.pointee.attributes = self.messages(attributes)
        request.pointee.n_attributes = attributes.count
        request.pointee.mode =
            replaces ? ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_REPLACE : ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_MERGE
        request.pointee.etag = self.text(etag ?? "")
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A CheckIn request.
    ///
    /// - Parameter release: By version and revision; nil reports none.
    package func checkInRequest(
        project: String,
        serial: String,
        time: Timestamp?,
        release: (version: String, revision: String)?,
        hardwareVersion: String?,
        attributes: [AttributeUpdate],
        createMissing: Bool
    ) -> UnsafeMutablePointer<Rollcall__V1__CheckInRequest> {
        let request = self.make(Messages.checkInRequest)
        request.pointee.project = self.text(project)
        request.pointee.device_serial = self.text(serial)
        request.pointee.time = time.map { self.message($0) }
        request.pointee.release = release.map {
            self.message(Release(id: 0, version: $0.version, revision: $0.revision))
        }
        request.pointee.hardware_version = self.text(hardwareVersion ?? "")
        request.pointee.attributes = self.messages(attributes)
        request.pointee.n_attributes = attributes.count
        request.pointee.create_missing = createMissing ? 1 : 0
        return request
    }

    func message(_ device: DeviceFieldsGiven) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.make(Messages.device)
        message.pointee.device_serial = self.text(device.serial)
        message.pointee.owner_ref = self.text(device.ownerRef ?? "")
        message.pointee.hardware_version = self.text(device.hardwareVersion ?? "")
        if let slug = device.cohort {
            let cohort = self.make(Messages.cohort)
            cohort.pointee.slug = self.text(slug)
            message.pointee.cohort = cohort
        }
        message.pointee.etag = self.text(device.etag ?? "")
        return message
    }
}
