import Descriptors
import DynamicMessage
import JSONText
import ProtobufC
import RollcallTesting
import Testing

/// proto3's JSON mapping, case by case.
@Suite struct MappingTests {
    private let pool = DescriptorSample.pool

    /// What JSON becomes when it has been a message.
    private func normalized(_ text: String, as name: String = DescriptorSample.everything) throws -> String {
        let type = try #require(self.pool.message(named: name))
        let codec = MessageCodec(pool: self.pool)
        let bytes = try codec.encode(try JSONReader.read(text.utf8), as: type)
        return try codec.json(of: bytes[...], as: type).text(.line)
    }

    @Test(arguments: [
        // Names, absence and defaults.
        (#"{}"#, #"{}"#), (#"{"oneString": "a"}"#, #"{"one_string": "a"}"#),
        (#"{"one_string": null, "many_string": null, "one_message": null}"#, #"{}"#),
        (#"{"one_int32": 0, "one_string": "", "one_bool": false, "many_int32": [], "one_double": 0.0}"#, #"{}"#),
        (#"{"one_message": {}}"#, #"{"one_message": {}}"#),
        // Integers, however they are written; 64 bits come out as strings.
        (#"{"one_int64": 9223372036854775807}"#, #"{"one_int64": "9223372036854775807"}"#),
        (#"{"one_int64": "-9223372036854775808"}"#, #"{"one_int64": "-9223372036854775808"}"#),
        (#"{"one_uint64": "18446744073709551615"}"#, #"{"one_uint64": "18446744073709551615"}"#),
        (#"{"one_int32": 1e3, "one_uint32": "20.0"}"#, #"{"one_int32": 1000, "one_uint32": 20}"#),
        (#"{"one_int32": 0.00e5, "one_sint32": -12.50e1}"#, #"{"one_sint32": -125}"#),
        (#"{"one_fixed32": 4294967295, "one_sfixed64": -1}"#, #"{"one_fixed32": 4294967295, "one_sfixed64": "-1"}"#),
        (
            #"{"many_sint64": [1, "-2"], "many_sfixed32": [-1]}"#,
            #"{"many_sfixed32": [-1], "many_sint64": ["1", "-2"]}"#
        ),
        // Numbers with a fraction.
        (#"{"one_double": 0.1, "one_float": 0.1}"#, #"{"one_double": 0.1, "one_float": 0.1}"#),
        (#"{"one_double": "1.5e300", "one_float": "-2"}"#, #"{"one_double": 1.5e+300, "one_float": -2.0}"#),
        (#"{"many_float": ["NaN", "Infinity", "-Infinity"]}"#, #"{"many_float": ["NaN", "Infinity", "-Infinity"]}"#),
        (#"{"one_double": -0.0}"#, #"{"one_double": -0.0}"#),
        // Bytes, of either alphabet, padded or not.
        (#"{"many_bytes": ["+/8=", "-_8", "AA==", ""]}"#, #"{"many_bytes": ["+/8=", "+/8=", "AA==", ""]}"#),
        // Enumerations by name and number; one without a name stays a number.
        (
            #"{"many_enumeration": ["COLOUR_BLUE", 1, "-2", 7]}"#,
            #"{"many_enumeration": ["COLOUR_BLUE", "COLOUR_RED", "COLOUR_BLUE", 7]}"#
        ),
        // Alternatives keep what looks like a default.
        (#"{"choice_text": ""}"#, #"{"choice_text": ""}"#),
        (#"{"choice_number": "0", "choice_text": null}"#, #"{"choice_number": "0"}"#),
        // Maps.
        (#"{"by_texts": {"b": 2, "a": 0}}"#, #"{"by_texts": {"b": 2, "a": 0}}"#),
        (#"{"by_numbers": {"-5": {"one_bool": true}}}"#, #"{"by_numbers": {"-5": {"one_bool": true}}}"#),
        (#"{"by_truths": {"true": "x", "false": ""}}"#, #"{"by_truths": {"true": "x", "false": ""}}"#),
        (#"{"by_colours": {"7": "COLOUR_RED"}}"#, #"{"by_colours": {"7": "COLOUR_RED"}}"#),
        (#"{"by_texts": {}}"#, #"{}"#),
        // Times.
        (#"{"theTimestamp": "2019-01-19T06:01:13.5+01:00"}"#, #"{"theTimestamp": "2019-01-19T05:01:13.500Z"}"#),
        (#"{"theTimestamp": "0001-01-01T00:00:00Z"}"#, #"{"theTimestamp": "0001-01-01T00:00:00Z"}"#),
        (
            #"{"theTimestamp": "9999-12-31T23:59:59.999999999Z"}"#,
            #"{"theTimestamp": "9999-12-31T23:59:59.999999999Z"}"#
        ),
        (#"{"theDuration": "1.5s"}"#, #"{"theDuration": "1.500s"}"#),
        (#"{"theDuration": "-0.000001s"}"#, #"{"theDuration": "-0.000001s"}"#),
        (#"{"theDuration": "0s"}"#, #"{"theDuration": "0s"}"#),
        (#"{"theFieldMask": "ownerRef,hardware_version,*"}"#, #"{"theFieldMask": "ownerRef,hardwareVersion,*"}"#),
        // Any: fields beside the type, a JSON of its own under "value", and bytes where the type is not known.
        (
            #"{"theAny": {"reason": "X", "@type": "t/google.rpc.ErrorInfo"}}"#,
            #"{"theAny": {"@type": "t/google.rpc.ErrorInfo", "reason": "X"}}"#
        ),
        (
            #"{"theAny": {"@type": "t/google.protobuf.Duration", "value": "1s"}}"#,
            #"{"theAny": {"@type": "t/google.protobuf.Duration", "value": "1s"}}"#
        ),
        (#"{"theAny": {"@type": "t/a.B", "value": "AQI="}}"#, #"{"theAny": {"@type": "t/a.B", "value": "AQI="}}"#),
        (#"{"theAny": {}}"#, #"{"theAny": {}}"#),
    ])
    func aMessageIsWhatItsJSONSays(input: String, output: String) throws {
        #expect(try self.normalized(input) == output)
    }

    @Test(arguments: [
        (#"[]"#, "1:1", "is an object"), (#"{"one_string": 1}"#, "1:16", "'one_string' is a string, not a number."),
        (#"{"one_strin": ""}"#, "1:2", "'one_strin' in sample.Everything; did you mean 'one_string'?"),
        (#"{"onestring": ""}"#, "1:2", "did you mean 'one_string'?"), (#"{"zzzzzzzz": 1}"#, "1:2", "'zzzzzzzz'"),
        (#"{"one_string": "", "oneString": ""}"#, "1:20", "twice"),
        ("{\n  \"one_bool\": \"true\"}", "2:15", "true or false, not a string"),
        (#"{"one_int32": 2147483648}"#, "1:15", "from -2147483648 to 2147483647"),
        (#"{"one_int32": 1.5}"#, "1:15", "integer"),
        (#"{"one_int32": "x"}"#, "1:15", "integer"), (#"{"one_int32": " 1"}"#, "1:15", "integer"),
        (#"{"one_uint32": -1}"#, "1:16", "from 0"), (#"{"one_uint64": 18446744073709551616}"#, "1:16", "integer"),
        (#"{"one_int64": 1e99999999999999999999}"#, "1:15", "integer"), (#"{"one_int64": true}"#, "1:15", "integer"),
        (#"{"one_float": 1e39}"#, "1:15", "number"), (#"{"one_double": 1e400}"#, "1:16", "number"),
        (#"{"one_double": "nan"}"#, "1:16", "number"), (#"{"one_double": "0x10"}"#, "1:16", "number"),
        (#"{"one_bytes": "A"}"#, "1:15", "base64"), (#"{"one_bytes": "AB=="}"#, "1:15", "base64"),
        (#"{"one_bytes": "!!!!"}"#, "1:15", "base64"),
        (#"{"one_enumeration": "COLOUR_REDD"}"#, "1:21", "did you mean 'COLOUR_RED'?"),
        (#"{"one_enumeration": "X"}"#, "1:21", "there are COLOUR_NONE, COLOUR_RED, COLOUR_BLUE."),
        (#"{"one_enumeration": 1.5}"#, "1:21", "integer"),
        (
            #"{"choice_text": "", "choice_number": 1}"#, "1:21",
            "'choice_number' does not go together with 'choice_text'."
        ),
        (#"{"many_string": "a"}"#, "1:17", "is an array, not a string"),
        (#"{"many_string": ["a", null]}"#, "1:23", "not null"),
        (#"{"many_message": [null]}"#, "1:19", "null"), (#"{"by_texts": []}"#, "1:14", "is an object"),
        (#"{"by_texts": {"a": null}}"#, "1:20", "integer"), (#"{"by_numbers": {"x": {}}}"#, "1:17", "integer"),
        (#"{"by_numbers": {"1": {}, "1.0": {}}}"#, "1:26", "twice"),
        (#"{"by_truths": {"yes": ""}}"#, "1:16", "true or false"),
        (#"{"theTimestamp": "2019-01-19"}"#, "1:18", "RFC 3339"), (#"{"theTimestamp": 1}"#, "1:18", "not a number"),
        (#"{"theTimestamp": "2019-01-19T05:01:13.1234567890Z"}"#, "1:18", "9 digits"),
        (#"{"theTimestamp": "0000-12-31T00:00:00Z"}"#, "1:18", "year 1"),
        (#"{"theDuration": "1"}"#, "1:17", "1.5s"), (#"{"theDuration": "315576000001s"}"#, "1:17", "10,000 years"),
        (#"{"theDuration": "1.0000000000s"}"#, "1:17", "9 digits"), (#"{"theDuration": "+1s"}"#, "1:17", "1.5s"),
        (#"{"theFieldMask": "a,,b"}"#, "1:18", "empty"), (#"{"theFieldMask": ["a"]}"#, "1:18", "not an array"),
        (#"{"theAny": {"reason": ""}}"#, "1:12", "@type"),
        (#"{"theAny": {"@type": "t/a.B", "reason": ""}}"#, "1:31", "not known here"),
        (#"{"theAny": {"@type": "t/google.rpc.ErrorInfo", "reasn": ""}}"#, "1:48", "did you mean 'reason'?"),
        (#"{"one_message": {"one_message": {"x": 1}}}"#, "1:34", "There is no field 'x' in sample.Everything"),
    ])
    func whatDoesNotFitIsToldWithItsPlace(input: String, place: String, words: String) throws {
        let error = #expect(throws: JSONError.self) { try self.normalized(input) }
        #expect(error?.position.description == place, "\(error?.description ?? "")")
        #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func whatASenderMayDoIsRead() throws {
        let codec = MessageCodec(pool: self.pool)
        let type = try #require(self.pool.message(named: DescriptorSample.everything))
        var writer = WireWriter()
        // Unpacked and packed in one list; the last of a scalar; parts of one message; the last alternative; a field
        // that no one knows; a key that comes twice.
        writer.append(103, varint: 1)
        writer.append(103, bytes: [2, 3])
        writer.append(9, bytes: "a".utf8)
        writer.append(9, bytes: "b".utf8)
        writer.append(11, bytes: [0x40, 1])
        writer.append(11, bytes: [0x68, 5])
        writer.append(41, varint: 1)
        writer.append(40, bytes: "x".utf8)
        writer.append(999, fixed32: 1)
        writer.append(50, bytes: [0x0A, 1, 0x61, 0x10, 1])
        writer.append(50, bytes: [0x0A, 1, 0x62])
        writer.append(50, bytes: [0x0A, 1, 0x61, 0x10, 9])
        let json = try codec.json(of: writer.bytes[...], as: type).text(.line)
        let expected = """
            {"many_int64": ["1", "2", "3"], "one_string": "b", "one_message": {"one_bool": true, "one_uint32": 5}, \
            "choice_text": "x", "by_texts": {"a": 9, "b": 0}}
            """
        #expect(json == expected)
    }
}
