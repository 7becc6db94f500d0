// Times: their range, their text, their parts.

import DeviceModel
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2019-01-19T05:01:13Z", 1_547_874_073_000_000),
            ("2019-01-19t05:01:13z", 1_547_874_073_000_000),
            ("2019-01-19 05:01:13.5Z", 1_547_874_073_500_000),
            ("2019-01-19T05:01:13.1234567899Z", 1_547_874_073_123_456),
            ("2019-01-19T07:31:13+02:30", 1_547_874_073_000_000),
            ("2019-01-18T21:01:13-08:00", 1_547_874_073_000_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func rfc3339IsRead(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2019", "2019-01-19", "2019-01-19T05:01:13", "2019-01-19T05:01Z", "2019-13-01T00:00:00Z",
        "2019-00-01T00:00:00Z",
        "2019-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2019-04-31T00:00:00Z", "2019-01-19T24:00:00Z",
        "2019-01-19T05:60:13Z",
        "2019-01-19T05:01:61Z", "2019-01-19T05:01:13.Z", "2019-01-19T05:01:13+0200", "2019-01-19T05:01:13+24:00",
        "2019-01-19T05:01:13+02:60", "2019-01-19T05:01:13Z ", " 2019-01-19T05:01:13Z", "0000-12-31T23:59:59Z",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "٢٠١٩-01-19T05:01:13Z",
    ])
    func anythingElseIsNot(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func textAlwaysHasSixDigitsAndAnOffset() {
        #expect(Timestamp(microseconds: 1_547_874_073_000_000)?.description == "2019-01-19T05:01:13.000000+00:00")
        #expect(Timestamp(microseconds: -1)?.description == "1969-12-31T23:59:59.999999+00:00")
        #expect(Timestamp.min.description == "0001-01-01T00:00:00.000000+00:00")
        #expect(Timestamp.max.description == "9999-12-31T23:59:59.999999+00:00")
    }

    @Test func everyDayOfFourCenturiesComesBackFromItsText() {
        for day in stride(from: Int64(-80_000), through: 80_000, by: 13) {
            let time = Timestamp.epoch.advanced(byMicroseconds: day * 86_400_000_000 + 12_345_678)
            #expect(Timestamp(rfc3339: time.description) == time, "day \(day)")
        }
    }

    @Test func partsRoundDownAndTruncate() throws {
        let time = try #require(Timestamp(microseconds: -1))
        #expect(time.seconds == -1 && time.nanoseconds == 999_999_000)
        #expect(Timestamp(seconds: -1, nanoseconds: 999_999_999) == time)
        #expect(Timestamp(seconds: 0, nanoseconds: 1_000_000_000) == nil)
        #expect(Timestamp(seconds: 0, nanoseconds: -1) == nil)
        #expect(Timestamp(seconds: 253_402_300_800, nanoseconds: 0) == nil)
        #expect(Timestamp(seconds: -62_135_596_801, nanoseconds: 0) == nil)
        #expect(Timestamp(seconds: 253_402_300_799, nanoseconds: 999_999_999) == .max)
    }

    @Test func movingStaysWithinTheRange() {
        #expect(Timestamp.max.advanced(byMicroseconds: 1) == .max)
        #expect(Timestamp.max.advanced(byMicroseconds: .max) == .max)
        #expect(Timestamp.min.advanced(byMicroseconds: -1) == .min)
        #expect(Timestamp.min.advanced(byMicroseconds: .min) == .min)
        #expect(Timestamp.epoch.advanced(byMicroseconds: -5).microseconds == -5)
        #expect(Timestamp(microseconds: .max) == nil && Timestamp(microseconds: .min) == nil)
        #expect(Timestamp.min < .epoch && .epoch < .max)
    }
}
