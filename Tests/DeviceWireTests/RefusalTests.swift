// Messages that decode well and still hold no value of ours.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RollcallTesting
import Testing

@Suite struct RefusalTests {
    @Test(arguments: [
        (Int64(253_402_300_800), Int32(0)), (-62_135_596_801, 0), (.max, 0), (.min, 0), (0, -1), (0, 1_000_000_000),
    ])
    func aTimeOutsideOfItsRangeIsRefusedByName(seconds: Int64, nanoseconds: Int32) {
        Arena().scope { arena in
            let message = arena.make(Messages.googleProtobufTimestamp)
            message.pointee.seconds = seconds
            message.pointee.nanos = nanoseconds
            #expect(throws: WireValueError.self) { try Timestamp(from: message, field: "last_seen") }
            var check = FieldCheck()
            #expect(check.timestamp(message, field: "last_seen_since") == nil)
            #expect(check.violations.map(\.field) == ["last_seen_since"])
        }
    }

    @Test(arguments: [
        (Int64(315_576_000_001), Int32(0)), (.min, 0), (0, 1_000_000_000), (0, .min), (1, -1), (-1, 1),
    ])
    func aSpanOutsideOfItsRangeIsRefusedByName(seconds: Int64, nanoseconds: Int32) {
        Arena().scope { arena in
            let message = arena.make(Messages.googleProtobufDuration)
            message.pointee.seconds = seconds
            message.pointee.nanos = nanoseconds
            var check = FieldCheck()
            #expect(check.microseconds(message, field: "activity_window") == nil)
            #expect(check.violations.map(\.field) == ["activity_window"])
        }
    }

    @Test func anAbsentFieldIsNoBadOne() {
        var check = FieldCheck()
        #expect(check.timestamp(nil, field: "time") == nil)
        #expect(check.microseconds(nil, field: "activity_window") == nil)
        #expect(check.violations.isEmpty)
    }

    @Test(arguments: ["created_date", "updated_date", "cohort"])
    func aDeviceWithoutARequiredFieldIsRefusedByName(_ field: String) {
        Arena().scope { arena in
            let message = arena.message(Device.sample)
            switch field {
            case "created_date": message.pointee.created_date = nil
            case "updated_date": message.pointee.updated_date = nil
            default: message.pointee.cohort = nil
            }
            #expect(throws: WireValueError(field, "is absent")) { try Device(from: message) }
        }
    }

    @Test func anAttributeOfAnUnknownTypeOrWithoutValueIsRefused() {
        Arena().scope { arena in
            let attribute = Device.sample.attributes[0]
            let unknown = arena.message(attribute.customMetric, attribute.state)
            unknown.pointee.custom_metric.pointee.data_type = Rollcall__V1__DataType(rawValue: 9)
            #expect(throws: WireValueError.self) { try Attribute(from: unknown) }
            let unset = arena.message(attribute.customMetric, attribute.state)
            unset.pointee.state.pointee.value.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND__NOT_SET
            #expect(throws: WireValueError("state.value", "is absent")) { try Attribute(from: unset) }
        }
    }

    @Test func everyBadFieldOfAListIsReportedAtOnce() {
        Arena().scope { arena in
            let message = arena.make(Messages.listDevicesRequest)
            message.pointee.activity = Rollcall__V1__Activity(rawValue: 7)
            message.pointee.sort = arena.text("-deployed_date")
            message.pointee.page_size = -1
            message.pointee.page = -2
            message.pointee.page_token = arena.text("token")
            let window = arena.make(Messages.googleProtobufDuration)
            window.pointee.nanos = .max
            message.pointee.activity_window = window
            var check = FieldCheck()
            let query = check.listQuery(message, limits: Limits())
            #expect(
                check.violations.map(\.field) == ["activity", "activity_window", "sort", "page_size", "page", "page"])
            #expect(query.sort.isEmpty)
            #expect(query.pageSize == 100)
        }
    }

    @Test func everyBadFieldOfACountIsReportedAtOnce() {
        Arena().scope { arena in
            let message = arena.make(Messages.countDevicesRequest)
            message.pointee.activity = Rollcall__V1__Activity(rawValue: 7)
            message.pointee.last_seen_until = arena.make(Messages.googleProtobufTimestamp)
            message.pointee.last_seen_until.pointee.nanos = -1
            message.pointee.group_by = arena.makeTextArray(count: 3)
            message.pointee.n_group_by = 3
            for (index, name) in ["last_seen", "activity", "cohort"].enumerated() {
                message.pointee.group_by[index] = arena.text(name)
            }
            message.pointee.group_limit = -1
            var check = FieldCheck()
            let query = check.countQuery(message, limits: Limits())
            #expect(
                check.violations.map(\.field) == [
                    "last_seen_until", "activity", "group_by[0]", "group_by[2]", "group_limit",
                ])
            #expect(query.groupBy == [.activity])
            #expect(query.groupLimit == 1_000)
        }
    }

    @Test(arguments: [(Int32(0), 1_000), (1, 1), (10_000, 10_000), (10_001, 10_000), (.max, 10_000)])
    func aGroupLimitHasADefaultAndACeiling(_ given: Int32, _ limit: Int) {
        Arena().scope { arena in
            let message = arena.make(Messages.countDevicesRequest)
            message.pointee.group_limit = given
            var check = FieldCheck()
            #expect(check.countQuery(message, limits: Limits()).groupLimit == limit)
            #expect(check.violations.isEmpty)
        }
    }

    @Test(arguments: [(Int32(0), 100), (1, 1), (1_000, 1_000), (1_001, 1_000), (.max, 1_000)])
    func aPageSizeHasADefaultAndACeiling(_ given: Int32, _ size: Int) {
        Arena().scope { arena in
            let message = arena.make(Messages.listProjectsRequest)
            message.pointee.page_size = given
            var check = FieldCheck()
            let page = check.page(message.pointee, limits: Limits())
            #expect(page.size == size)
            #expect(page.position == .first)
            #expect(!page.includesTotal)
            #expect(check.violations.isEmpty)
        }
    }

    @Test func aCountWhoseGroupsDoNotFitItsKeysIsRefused() {
        Arena().scope { arena in
            let message = arena.reply(.sample)
            #expect(throws: WireValueError("groups.values", "has 2 values for 1 keys")) {
                try DeviceCount(from: message, keyCount: 1)
            }
            message.pointee.groups[1]?.pointee.values[0]?.pointee.activity_value = Rollcall__V1__Activity(rawValue: 9)
            #expect(throws: WireValueError("groups.values.activity_value", "is 9, which is not an activity")) {
                try DeviceCount(from: message, keyCount: 2)
            }
            for index in 0..<message.pointee.n_groups { message.pointee.groups[index]?.pointee.n_values = 3 }
            #expect(throws: WireValueError("groups.values", "has more values than the 2 of a group")) {
                try DeviceCount(from: message, keyCount: 3)
            }
        }
    }

    @Test func anExplanationOfAnUnknownPlanOrWithoutATimeIsRefused() {
        Arena().scope { arena in
            let unknown = arena.message(QueryExplanation.sample)
            unknown.pointee.plan = arena.text("guess")
            #expect(throws: WireValueError("explanation.plan", "is 'guess', which is not a plan")) {
                try QueryExplanation(from: unknown)
            }
            let timeless = arena.message(QueryExplanation.sample)
            timeless.pointee.duration = nil
            #expect(throws: WireValueError("explanation.duration", "is absent")) {
                try QueryExplanation(from: timeless)
            }
            let endless = arena.message(QueryExplanation.sample)
            endless.pointee.duration.pointee.seconds = 300 * 366 * 86_400
            #expect(throws: WireValueError("explanation.duration", "must be a duration of at most 292 years")) {
                try QueryExplanation(from: endless)
            }
        }
    }

    @Test func badEntriesOfAnAttributeUpdateAreAllNamed() {
        Arena().scope { arena in
            let writes = [
                AttributeUpdate(key: "Battery", value: .float(.infinity)),
                AttributeUpdate(key: "battery", value: .int(1)),
                AttributeUpdate(key: " edge", value: nil),
                AttributeUpdate(key: "text", value: .string(String(repeating: "x", count: 4_097))),
            ]
            var check = FieldCheck()
            _ = check.attributeUpdates(arena.messages(writes), count: writes.count, limits: Limits())
            #expect(
                check.violations.map(\.field) == [
                    "attributes[0].value", "attributes[1].string_key", "attributes[2].string_key",
                    "attributes[3].value",
                ])
        }
    }

    @Test func moreEntriesThanAProjectHasKeysAreRefusedWithoutReadingThem() {
        Arena().scope { arena in
            let writes = Array(repeating: AttributeUpdate(key: "!", value: nil), count: 4_097)
            var check = FieldCheck()
            #expect(check.attributeUpdates(arena.messages(writes), count: writes.count, limits: Limits()).isEmpty)
            #expect(check.violations.map(\.field) == ["attributes"])
        }
    }
}
