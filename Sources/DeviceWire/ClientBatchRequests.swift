// Requests for batches as a caller builds them. Each lives as long as the arena's scope.

package import CRollcallProto
package import DeviceModel
package import FoundationEssentials
package import ProtobufC

// The names and types are those that C has.
// swift-format-ignore: AlwaysUseLowerCamelCase, NeverUseImplicitlyUnwrappedOptionals
/// A request for a batch, in its C struct.
package protocol BatchRequestFields {
    associatedtype Item

    var project: ProtobufCBinaryData { get set }
    var n_requests: Int { get set }
    var requests: UnsafeMutablePointer<UnsafeMutablePointer<Item>?>! { get set }
    var validate_only: protobuf_c_boolean { get set }
    var request_id: ProtobufCBinaryData { get set }
}

extension Rollcall__V1__BatchCreateDevicesRequest: BatchRequestFields {}
extension Rollcall__V1__BatchUpdateDevicesRequest: BatchRequestFields {}
extension Rollcall__V1__BatchDeleteDevicesRequest: BatchRequestFields {}

extension Arena {
    /// A request that carries out `items`, each of which `message` makes the request that it is by itself.
    package func batchRequest<Request: BatchRequestFields, Item>(
        _ type: MessageType<Request>, project: String, _ items: [Item], validateOnly: Bool, requestID: UUID?,
        _ message: (Item) -> UnsafeMutablePointer<Request.Item>
    ) -> UnsafeMutablePointer<Request> {
        let request = self.make(type)
        request.pointee.project = self.text(project)
        request.pointee.requests = self.pointers(items, message)
        request.pointee.n_requests = items.count
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A BatchGetDevices request.
    package func batchGetDevicesRequest(
        project: String, serials: [String], view: DeviceView
    ) -> UnsafeMutablePointer<Rollcall__V1__BatchGetDevicesRequest> {
        let request = self.make(Messages.batchGetDevicesRequest)
        request.pointee.project = self.text(project)
        (request.pointee.device_serials, request.pointee.n_device_serials) = self.texts(serials)
        request.pointee.view = view.wire
        return request
    }
}

extension Arena {
    /// A PurgeDevices request.
    package func purgeDevicesRequest(
        project: String, filter: DeviceFilter, expectedCount: Int64?, validateOnly: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__PurgeDevicesRequest> {
        let request = self.make(Messages.purgeDevicesRequest)
        request.pointee.project = self.text(project)
        self.set(filter, in: request)
        if let expectedCount {
            let expected = self.make(Messages.purgeDevicesRequestExpectedCount)
            expected.pointee.count = expectedCount
            request.pointee.expected_count = expected
        }
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }
}

// The names and types are those that C has.
// swift-format-ignore: AlwaysUseLowerCamelCase, NeverUseImplicitlyUnwrappedOptionals
/// A reply that is a list of devices, in its C struct.
package protocol DevicesResponse {
    var n_devices: Int { get }
    var devices: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__Device>?>! { get }
}

extension Rollcall__V1__BatchGetDevicesResponse: DevicesResponse {}
extension Rollcall__V1__BatchCreateDevicesResponse: DevicesResponse {}
extension Rollcall__V1__BatchUpdateDevicesResponse: DevicesResponse {}

extension [Device] {
    /// - Throws: ``WireValueError`` naming a field of a device that is absent or out of its range.
    package init(from message: UnsafePointer<some DevicesResponse>) throws(WireValueError) {
        let message = message.pointee
        self.init()
        self.reserveCapacity(message.n_devices)
        for device in elements(message.devices, count: message.n_devices) {
            self.append(try Device(from: device))
        }
    }
}
