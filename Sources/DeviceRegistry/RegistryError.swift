// Why the registry refuses a call.

package import DeviceModel

/// A refusal: what kind, which reason, a sentence, and the fields or the resource that it is about.
package struct RegistryError: Error, Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        case invalidArgument, notFound, alreadyExists, failedPrecondition, aborted, resourceExhausted, unavailable,
            outOfRange
    }

    /// The published reasons (`errors.proto`) that the registry gives; the raw value is ErrorInfo's text.
    package enum Reason: String, Hashable, Sendable {
        case fieldInvalid = "FIELD_INVALID"
        case requestIDReused = "REQUEST_ID_REUSED"
        case attributeTypeMismatch = "ATTRIBUTE_TYPE_MISMATCH"
        case deviceNotFound = "DEVICE_NOT_FOUND"
        case deviceExists = "DEVICE_EXISTS"
        case projectNotFound = "PROJECT_NOT_FOUND"
        case projectExists = "PROJECT_EXISTS"
        case projectNotEmpty = "PROJECT_NOT_EMPTY"
        case projectProtected = "PROJECT_PROTECTED"
        case cohortNotFound = "COHORT_NOT_FOUND"
        case cohortExists = "COHORT_EXISTS"
        case cohortNotEmpty = "COHORT_NOT_EMPTY"
        case cohortProtected = "COHORT_PROTECTED"
        case etagStale = "ETAG_STALE"
        case expectedCountDiffers = "EXPECTED_COUNT_DIFFERS"
        case limitExceeded = "LIMIT_EXCEEDED"
        case queueFull = "QUEUE_FULL"
        case storeUnavailable = "STORE_UNAVAILABLE"
        case draining = "DRAINING"
        case revisionOutOfRange = "REVISION_OUT_OF_RANGE"
        case watcherTooSlow = "WATCHER_TOO_SLOW"
    }

    package enum ResourceType: String, Hashable, Sendable {
        case device = "rollcall.v1.Device"
        case project = "rollcall.v1.Project"
        case cohort = "rollcall.v1.Cohort"
    }

    /// The resource that a refusal is about.
    package struct Resource: Hashable, Sendable {
        package var type: ResourceType
        /// Its serial or slug.
        package var name: String
    }

    package var code: Code
    package var reason: Reason
    package var message: String
    package var violations: [FieldViolation]
    package var resource: Resource?
    /// Where a watch that has ended may be taken up again.
    package var bookmark: Bookmark?

    package init(
        _ code: Code,
        _ reason: Reason,
        _ message: String,
        violations: [FieldViolation] = [],
        resource: Resource? = nil,
        bookmark: Bookmark? = nil
    ) {
        self.bookmark = bookmark
        self.code = code
        self.reason = reason
        self.message = message
        self.violations = violations
        self.resource = resource
    }
}

extension RegistryError {
    /// Bad fields, all of them, with a sentence that names the first.
    package init(_ invalid: InvalidFields, reason: Reason = .fieldInvalid) {
        let first = invalid.violations.first.map { "\($0.field) \($0.description)" } ?? "The request is not valid"
        let others = invalid.violations.count - 1
        let more = others < 1 ? "" : others == 1 ? " (and 1 more bad field)" : " (and \(others) more bad fields)"
        self.init(.invalidArgument, reason, first + more + ".", violations: invalid.violations)
    }

    package static func projectNotFound(_ slug: String) -> RegistryError {
        RegistryError(
            .notFound, .projectNotFound, "There is no project \(quoted(slug)).",
            resource: Resource(type: .project, name: slug))
    }

    package static func deviceNotFound(_ serial: String, project: String) -> RegistryError {
        RegistryError(
            .notFound, .deviceNotFound, "There is no device \(quoted(serial)) in project \(quoted(project)).",
            resource: Resource(type: .device, name: serial))
    }

    package static func deviceExists(_ serial: String, project: String) -> RegistryError {
        RegistryError(
            .alreadyExists, .deviceExists, "Device \(quoted(serial)) is already in project \(quoted(project)).",
            resource: Resource(type: .device, name: serial))
    }

    package static func cohortNotFound(_ slug: String, project: String) -> RegistryError {
        RegistryError(
            .notFound, .cohortNotFound, "There is no cohort \(quoted(slug)) in project \(quoted(project)).",
            resource: Resource(type: .cohort, name: slug))
    }
}
