// google.protobuf.Timestamp and Duration.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension Arena {
    /// `time` as a message.
    package func message(_ time: Timestamp) -> UnsafeMutablePointer<Google__Protobuf__Timestamp> {
        let message = self.make(Messages.googleProtobufTimestamp)
        message.pointee.seconds = time.seconds
        message.pointee.nanos = time.nanoseconds
        return message
    }

    /// A span of microseconds as a message; both parts have its sign, as google.protobuf.Duration wants.
    package func message(microseconds: Int64) -> UnsafeMutablePointer<Google__Protobuf__Duration> {
        let message = self.make(Messages.googleProtobufDuration)
        message.pointee.seconds = microseconds / 1_000_000
        message.pointee.nanos = Int32(truncatingIfNeeded: microseconds % 1_000_000 * 1_000)
        return message
    }

    /// `duration` as a message, truncated to microseconds.
    func message(_ duration: Duration) -> UnsafeMutablePointer<Google__Protobuf__Duration> {
        let (seconds, attoseconds) = duration.components
        return self.message(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    /// A span of nanoseconds as a message.
    func message(nanoseconds: Int64) -> UnsafeMutablePointer<Google__Protobuf__Duration> {
        let message = self.make(Messages.googleProtobufDuration)
        message.pointee.seconds = nanoseconds / 1_000_000_000
        message.pointee.nanos = Int32(truncatingIfNeeded: nanoseconds % 1_000_000_000)
        return message
    }
}

extension Timestamp {
    /// - Throws: ``WireValueError`` naming `field` where the message is outside of the years 1 to 9999.
    package init(
        from message: UnsafePointer<Google__Protobuf__Timestamp>, field: String
    ) throws(WireValueError) {
        guard let time = Timestamp(seconds: message.pointee.seconds, nanoseconds: message.pointee.nanos) else {
            throw WireValueError(field, "must be a time from year 1 to 9999 with 0 to 999,999,999 nanoseconds")
        }
        self = time
    }
}

/// The longest span of a google.protobuf.Duration: 10,000 years.
private let durationSecondsMax: Int64 = 315_576_000_000

/// The parts of a duration.
///
/// - Throws: ``WireValueError`` naming `field` where a part is out of range or the parts differ in sign.
private func parts(
    of message: UnsafePointer<Google__Protobuf__Duration>, field: String
) throws(WireValueError) -> (seconds: Int64, nanoseconds: Int64) {
    let (seconds, nanoseconds) = (message.pointee.seconds, message.pointee.nanos)
    guard (-durationSecondsMax...durationSecondsMax).contains(seconds),
        (-999_999_999...999_999_999).contains(nanoseconds),
        seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0)
    else {
        throw WireValueError(field, "must be a duration of at most 10,000 years whose parts have the same sign")
    }
    return (seconds, Int64(nanoseconds))
}

/// A duration in microseconds, truncated.
///
/// - Throws: ``WireValueError`` naming `field` where it is no duration.
func microseconds(
    of message: UnsafePointer<Google__Protobuf__Duration>, field: String
) throws(WireValueError) -> Int64 {
    let (seconds, nanoseconds) = try parts(of: message, field: field)
    return seconds * 1_000_000 + nanoseconds / 1_000
}

/// A duration in nanoseconds.
///
/// - Throws: ``WireValueError`` naming `field` where it is no duration, or one that 64 bits do not hold.
func nanoseconds(
    of message: UnsafePointer<Google__Protobuf__Duration>, field: String
) throws(WireValueError) -> Int64 {
    let (seconds, nanoseconds) = try parts(of: message, field: field)
    guard abs(seconds) < Int64.max / 1_000_000_000 else {
        throw WireValueError(field, "must be a duration of at most 292 years")
    }
    return seconds * 1_000_000_000 + nanoseconds
}

extension FieldCheck {
    /// The time that a request gives in `field`; nil where it gives none or a bad one.
    package mutating func timestamp(
        _ message: UnsafeMutablePointer<Google__Protobuf__Timestamp>?, field: String
    ) -> Timestamp? {
        guard let message else { return nil }
        do throws(WireValueError) {
            return try Timestamp(from: message, field: field)
        } catch {
            self.refuse(error.field, error.problem)
            return nil
        }
    }

    /// The span that a request gives in `field`, in microseconds; nil where it gives none or a bad one.
    package mutating func microseconds(
        _ message: UnsafeMutablePointer<Google__Protobuf__Duration>?, field: String
    ) -> Int64? {
        guard let message else { return nil }
        do throws(WireValueError) {
            return try DeviceWire.microseconds(of: message, field: field)
        } catch {
            self.refuse(error.field, error.problem)
            return nil
        }
    }
}
