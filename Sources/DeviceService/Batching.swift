// What the methods that change many devices at once have in common.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

// The names and types are those that C has.
// swift-format-ignore: AlwaysUseLowerCamelCase, NeverUseImplicitlyUnwrappedOptionals
/// What every request for a batch has, in its C struct.
protocol BatchRequest: SendableMetatype {
    associatedtype Item: BatchedRequest

    var project: ProtobufCBinaryData { get }
    var n_requests: Int { get }
    var requests: UnsafeMutablePointer<UnsafeMutablePointer<Item>?>! { get }
    var validate_only: protobuf_c_boolean { get }
    var request_id: ProtobufCBinaryData { get }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// A request for one device that is an item of a batch.
protocol BatchedRequest: SendableMetatype {
    var project: ProtobufCBinaryData { get }
    var request_id: ProtobufCBinaryData { get }
    /// Whether it asks for a check alone.
    var onlyValidates: Bool { get }
}

extension Rollcall__V1__BatchCreateDevicesRequest: BatchRequest {}
extension Rollcall__V1__BatchUpdateDevicesRequest: BatchRequest {}
extension Rollcall__V1__BatchDeleteDevicesRequest: BatchRequest {}

extension Rollcall__V1__CreateDeviceRequest: BatchedRequest {
    var onlyValidates: Bool { self.validate_only != 0 }
}

extension Rollcall__V1__UpdateDeviceRequest: BatchedRequest {
    var onlyValidates: Bool { self.validate_only != 0 }
}

extension Rollcall__V1__DeleteDeviceRequest: BatchedRequest {
    var onlyValidates: Bool { false }
}

extension DeviceService {
    /// A method that carries out many mutations of one kind, all or none.
    ///
    /// - Parameters:
    ///   - item: Reads an item, reporting its bad fields by their paths in it; nil where nothing is left of it.
    ///   - mutation: What the batch asks the writer to do.
    func batching<Request: BatchRequest & ScopedRequest, Item>(
        _ name: MethodName,
        _ type: MessageType<Request>,
        _ item: @escaping @Sendable (_ message: Request.Item, _ check: inout FieldCheck) -> Item?,
        _ mutation: @escaping @Sendable (DeviceBatch<Item>) -> Mutation
    ) -> Method {
        let limits = self.registry.limits
        return self.mutating(name, type) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            check.itemCount(message.n_requests, field: "requests", limits: limits)
            var batch = DeviceBatch<Item>()
            let items = UnsafeBufferPointer(start: message.requests, count: message.n_requests)
            for case let element? in items.prefix(limits.batchItemCountMax) {
                var itemCheck = FieldCheck()
                let read = item(element.pointee, &itemCheck)
                itemCheck.agreement(of: element.pointee, with: message, inProject: project)
                if let read {
                    batch.append(read, violations: itemCheck.violations)
                } else {
                    batch.appendUnreadable(violations: itemCheck.violations)
                }
            }
            return Draft(
                project: project,
                mutation: mutation(batch),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}

extension FieldCheck {
    /// Refuses a list of no items, or of more than a batch may have.
    mutating func itemCount(_ count: Int, field: String, limits: Limits) {
        if count == 0 || count > limits.batchItemCountMax {
            self.refuse(field, "must have 1 to \(limits.batchItemCountMax) items, not \(count)")
        }
    }

    /// Refuses an item that says anything else than its batch does of what belongs to the batch (AIP-233).
    fileprivate mutating func agreement(
        of item: some BatchedRequest, with batch: some BatchRequest, inProject project: String
    ) {
        if !item.project.bytes.isEmpty, item.project.string != project {
            self.refuse("project", "must be empty, or \(quoted(project)) as in the batch")
        }
        if item.onlyValidates, batch.validate_only == 0 {
            self.refuse("validate_only", "must be false, as in the batch")
        }
        if !item.request_id.bytes.isEmpty, item.request_id.string != batch.request_id.string {
            self.refuse("request_id", "must be empty, or the one of the batch")
        }
    }
}
