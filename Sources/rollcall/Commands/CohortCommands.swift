internal import ArgumentParser

/// `rollcall cohort`
struct CohortCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort",
        abstract: "Create, show, list, rename and delete the cohorts of a project.",
        discussion: """
            Every device is in exactly one cohort of its project, 'default' unless another is set. Move a device with \
            'rollcall update SERIAL --cohort SLUG'.
            """,
        subcommands: [
            CohortCreate.self, CohortGet.self, CohortList.self, CohortRename.self, CohortDelete.self,
        ]
    )
}
