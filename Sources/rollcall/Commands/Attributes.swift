internal import ArgumentParser

/// `rollcall attributes`
struct Attributes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Get, set and unset the attributes of a device.",
        discussion: """
            An attribute is the latest value of a named property, such as a battery's charge. A key has one type (INT, \
            FLOAT, BOOL or STRING) for its whole project, fixed by its first value.
            """,
        subcommands: [AttributesGet.self, AttributesSet.self, AttributesUnset.self]
    )
}
