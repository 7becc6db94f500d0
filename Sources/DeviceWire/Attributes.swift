// rollcall.v1.Attribute and its parts.

package import CRollcallProto
package import DeviceModel
package import FoundationEssentials
package import ProtobufC

extension Arena {
    /// An attribute as a message.
    package func message(
        _ metric: CustomMetric, _ state: AttributeState
    ) -> UnsafeMutablePointer<Rollcall__V1__Attribute> {
        let attribute = self.make(Messages.attribute)
        attribute.pointee.custom_metric = self.message(metric)
        let stateMessage = self.make(Messages.attributeState)
        stateMessage.pointee.value = self.message(state.value)
        stateMessage.pointee.time = self.message(state.time)
        stateMessage.pointee.created_date = self.message(state.createdDate)
        stateMessage.pointee.updated_date = self.message(state.updatedDate)
        attribute.pointee.state = stateMessage
        return attribute
    }

    /// An attribute key as a message.
    func message(_ metric: CustomMetric) -> UnsafeMutablePointer<Rollcall__V1__CustomMetric> {
        let message = self.make(Messages.customMetric)
        message.pointee.id = self.text(metric.id)
        message.pointee.string_key = self.text(metric.stringKey)
        message.pointee.data_type = metric.dataType.wire
        return message
    }

    /// Attributes as a repeated field's pointers.
    package func messages(
        _ attributes: [Attribute]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__Attribute>?> {
        self.pointers(attributes) { self.message($0.customMetric, $0.state) }
    }

    /// A value as a message.
    package func message(_ value: AttributeValue) -> UnsafeMutablePointer<Rollcall__V1__AttributeValue> {
        let message = self.make(Messages.attributeValue)
        switch value {
        case .string(let text):
            message.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE
            message.pointee.string_value = self.text(text)
        case .int(let number):
            message.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_INT_VALUE
            message.pointee.int_value = number
        case .float(let number):
            message.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_FLOAT_VALUE
            message.pointee.float_value = number
        case .bool(let isTrue):
            message.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_BOOL_VALUE
            message.pointee.bool_value = isTrue ? 1 : 0
        }
        return message
    }

    /// A UUID's 36 characters of lower case.
    package func text(_ id: UUID) -> ProtobufCBinaryData {
        self.text(byteCountMax: 36) { text in
            var count = 0
            func write(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            func digit(_ value: UInt8) -> UInt8 {
                value < 10 ? 0x30 + value : 0x57 + value
            }
            withUnsafeBytes(of: id.uuid) { bytes in
                for (index, byte) in bytes.enumerated() {
                    if index == 4 || index == 6 || index == 8 || index == 10 { write(0x2D) }
                    write(digit(byte >> 4))
                    write(digit(byte & 0xF))
                }
            }
            return count
        }
    }
}

extension [Attribute] {
    /// The attributes of a repeated field.
    ///
    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    init(
        _ messages: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__Attribute>?>?, count: Int
    ) throws(WireValueError) {
        self = []
        self.reserveCapacity(count)
        for message in elements(messages, count: count) {
            self.append(try Attribute(from: message))
        }
    }
}

extension Attribute {
    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__Attribute>) throws(WireValueError) {
        self.init(
            customMetric: try CustomMetric(from: required(message.pointee.custom_metric, "custom_metric")),
            state: try AttributeState(from: required(message.pointee.state, "state"))
        )
    }
}

extension CustomMetric {
    /// - Throws: ``WireValueError`` where the id is no UUID or the type is unknown.
    package init(from message: UnsafePointer<Rollcall__V1__CustomMetric>) throws(WireValueError) {
        guard let id = UUID(uuidString: message.pointee.id.string) else {
            throw WireValueError("custom_metric.id", "is not a UUID")
        }
        guard let dataType = DataType(message.pointee.data_type) else {
            throw WireValueError(
                "custom_metric.data_type", "is \(message.pointee.data_type.rawValue), which is not a type")
        }
        self.init(id: id, stringKey: message.pointee.string_key.string, dataType: dataType)
    }
}

extension AttributeState {
    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__AttributeState>) throws(WireValueError) {
        let message = message.pointee
        guard let value = AttributeValue(from: try required(message.value, "state.value")) else {
            throw WireValueError("state.value", "is absent")
        }
        self.init(
            value: value,
            time: try Timestamp(from: required(message.time, "state.time"), field: "state.time"),
            createdDate: try Timestamp(
                from: required(message.created_date, "state.created_date"), field: "state.created_date"),
            updatedDate: try Timestamp(
                from: required(message.updated_date, "state.updated_date"), field: "state.updated_date")
        )
    }
}

extension AttributeValue {
    /// Nil where nothing is set.
    package init?(from message: UnsafePointer<Rollcall__V1__AttributeValue>) {
        switch message.pointee.kind_case {
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_STRING_VALUE:
            self = .string(message.pointee.string_value.string)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_INT_VALUE:
            self = .int(message.pointee.int_value)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_FLOAT_VALUE:
            self = .float(message.pointee.float_value)
        case ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_BOOL_VALUE:
            self = .bool(message.pointee.bool_value != 0)
        default:
            return nil
        }
    }
}

extension DataType {
    /// Nil where the number means no type.
    package init?(_ type: Rollcall__V1__DataType) {
        switch type {
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_INT: self = .int
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_FLOAT: self = .float
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_BOOL: self = .bool
        case ROLLCALL__V1__DATA_TYPE__DATA_TYPE_STRING: self = .string
        default: return nil
        }
    }

    /// The type as messages name it.
    package var wire: Rollcall__V1__DataType {
        switch self {
        case .int: ROLLCALL__V1__DATA_TYPE__DATA_TYPE_INT
        case .float: ROLLCALL__V1__DATA_TYPE__DATA_TYPE_FLOAT
        case .bool: ROLLCALL__V1__DATA_TYPE__DATA_TYPE_BOOL
        case .string: ROLLCALL__V1__DATA_TYPE__DATA_TYPE_STRING
        }
    }
}

extension DeviceAttributes {
    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__GetDeviceAttributesResponse>) throws(WireValueError) {
        self.init(
            attributes: try [Attribute](message.pointee.attributes, count: message.pointee.n_attributes),
            etag: message.pointee.etag.string
        )
    }

    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__UpdateDeviceAttributesResponse>) throws(WireValueError) {
        self.init(
            attributes: try [Attribute](message.pointee.attributes, count: message.pointee.n_attributes),
            etag: message.pointee.etag.string
        )
    }
}
