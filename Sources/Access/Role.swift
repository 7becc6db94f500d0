// What a caller may be, and what each of that includes.

/// A part that a rule gives to callers.
package enum Role: String, CaseIterable, Sendable {
    /// Reads devices and what they have in common.
    case reader
    /// Is a device, or speaks for one: its own record, check-ins and attributes.
    case reporter
    /// Registers unknown devices by check-in; a reporter's.
    case mayRegister = "may_register"
    /// Does whatever there is to do with devices and cohorts.
    case writer
    /// Does everything.
    case admin

    /// It and every role that it includes.
    package var included: Roles {
        switch self {
        case .reader: .reader
        case .reporter: .reporter
        case .mayRegister: .mayRegister
        case .writer: [.reader, .reporter, .mayRegister, .writer]
        case .admin: .all
        }
    }
}

/// A set of roles, those that others of it include among them.
package struct Roles: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let reader = Self(rawValue: 1 << 0)
    package static let reporter = Self(rawValue: 1 << 1)
    package static let mayRegister = Self(rawValue: 1 << 2)
    package static let writer = Self(rawValue: 1 << 3)
    package static let admin = Self(rawValue: 1 << 4)
    package static let all: Self = [.reader, .reporter, .mayRegister, .writer, .admin]

    /// Whether the role is among them.
    package func includes(_ role: Role) -> Bool {
        let alone: Self =
            switch role {
            case .reader: .reader
            case .reporter: .reporter
            case .mayRegister: .mayRegister
            case .writer: .writer
            case .admin: .admin
            }
        return self.contains(alone)
    }

    /// Those that no other one includes, from the least to the most.
    package var names: [String] {
        let roles = Role.allCases.filter { self.includes($0) }
        return roles.filter { role in !roles.contains { $0 != role && $0.included.includes(role) } }.map(\.rawValue)
    }
}
