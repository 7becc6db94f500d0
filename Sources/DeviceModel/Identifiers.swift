// Numbers that the store gives out, kept apart by type.

/// A number given by the store, never reused, that means a `Subject`.
package struct Identifier<Subject>: RawRepresentable, Hashable, Comparable, BitwiseCopyable, Sendable {
    package let rawValue: Int64

    @inlinable
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    // Not those of RawRepresentable, which are generic and look up witnesses on every call from another module.
    @inlinable
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.rawValue)
    }

    @inlinable
    package static func == (left: Self, right: Self) -> Bool {
        left.rawValue == right.rawValue
    }

    @inlinable
    package static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
}

package typealias DeviceID = Identifier<Device>
package typealias ProjectID = Identifier<Project>
package typealias CohortID = Identifier<Cohort>
package typealias ReleaseID = Identifier<Release>
package typealias AttributeKeyID = Identifier<CustomMetric>

/// A step of the store-wide counter: one for each changed device.
package struct Revision: RawRepresentable, Hashable, Comparable, BitwiseCopyable, Sendable {
    package let rawValue: Int64

    package static let zero = Revision(rawValue: 0)

    @inlinable
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package var next: Revision {
        Revision(rawValue: self.rawValue + 1)
    }

    // As for identifiers.
    @inlinable
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.rawValue)
    }

    @inlinable
    package static func == (left: Self, right: Self) -> Bool {
        left.rawValue == right.rawValue
    }

    @inlinable
    package static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
}
