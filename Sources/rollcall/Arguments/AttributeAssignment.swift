// `KEY=VALUE` on a command line, and how it is sent: the type of the key rules how VALUE is read.

internal import ArgumentParser
internal import DeviceModel
internal import FoundationEssentials
internal import RollcallClient

/// An attribute to set.
struct AttributeAssignment: Hashable, Sendable {
    let key: String
    /// What VALUE is by itself.
    let value: AttributeValue
    /// VALUE as it stands where it is a number or a boolean without quotes, which for a STRING key is text.
    let bareText: String?

    /// Reads `KEY=VALUE`; nil where there is no `=`, or nothing before it.
    init?(argument: String) {
        guard let separator = argument.firstIndex(of: "="), separator > argument.startIndex else { return nil }
        let text = String(argument[argument.index(after: separator)...])
        self.key = String(argument[..<separator])
        self.value = AttributeValue(argument: text)
        self.bareText = self.value.dataType == .string ? nil : text
    }

    /// Reads `KEY=VALUE`.
    ///
    /// - Throws: `ValidationError` where it is not of that form, or the value is null.
    static func argument(_ text: String) throws -> AttributeAssignment {
        guard let assignment = AttributeAssignment(argument: text) else {
            throw ValidationError("'\(text)' is not of the form KEY=VALUE.")
        }
        if case .string("null") = assignment.value, text.hasSuffix("=null") {
            throw ValidationError("'\(text)' sets nothing; take the key out with 'rollcall attributes unset'.")
        }
        return assignment
    }
}

extension [AttributeAssignment] {
    /// Sends the values as what they are by themselves and, where that is refused because keys are of type STRING, once
    /// more with those as text. A refused call has written nothing, and only a STRING key takes text.
    ///
    /// - Parameters:
    ///   - time: When the values were taken; nil for the time of the call.
    ///   - requestID: Goes with the first call. The second asks for something else, so it has an id of its own, which
    ///     follows from this one: whoever repeats the command repeats both.
    ///   - call: Makes the call.
    /// - Throws: What `call` throws; of two refusals for the type, the one of the value as it was given.
    func send<Reply>(
        at time: Timestamp? = nil,
        requestID: UUID? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ call: (_ updates: [AttributeUpdate], _ requestID: UUID?) async throws(RollcallError) -> Reply
    ) async throws(RollcallError) -> Reply {
        let updates = self.map { AttributeUpdate(key: $0.key, value: $0.value, time: time) }
        do throws(RollcallError) {
            return try await call(updates, requestID)
        } catch {
            guard error.isTypeMismatch, let texts = self.asTexts(updates, at: error.violations) else { throw error }
            do throws(RollcallError) {
                return try await call(texts, requestID?.complement)
            } catch let second {
                throw second.isTypeMismatch ? error : second
            }
        }
    }

    /// The updates with text for those that `violations` name; nil where one of them is no bare scalar.
    private func asTexts(_ updates: [AttributeUpdate], at violations: [FieldViolation]) -> [AttributeUpdate]? {
        var texts = updates
        let fields = Set(violations.map(\.field))
        for index in self.indices where fields.contains("attributes[\(index)].value") {
            guard let text = self[index].bareText else { return nil }
            texts[index].value = .string(text)
        }
        return texts
    }
}

extension RollcallError {
    fileprivate var isTypeMismatch: Bool { self.reason == "ATTRIBUTE_TYPE_MISMATCH" }
}

extension UUID {
    /// Every bit the other way: an id as unlikely to be in use as this one.
    fileprivate var complement: UUID {
        var bytes = self.uuid
        withUnsafeMutableBytes(of: &bytes) { bytes in
            for index in bytes.indices {
                bytes[index] = ~bytes[index]
            }
        }
        return UUID(uuid: bytes)
    }
}
