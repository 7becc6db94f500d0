internal import ArgumentParser
internal import RollcallClient

/// `rollcall attribute-key list`
struct AttributeKeyList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the attribute keys of a project, their types, and how many devices have a value of each.",
        discussion: """
              rollcall attribute-key list --project warehouse
            """
    )

    @OptionGroup var pages: PageOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await self.pages.show("attribute keys", as: .attributeKey, to: printer) {
            position, itemCount, includesTotal in
            try await client.listAttributeKeys(pageSize: itemCount, position: position, includesTotal: includesTotal)
        }
    }
}
