// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "rollcall",
    products: [
    ],
    dependencies: [
    ],
    targets: [
        // System: libprotobuf-c, and what the importer cannot see of libc.
        .target(name: "CRollcallShims"),

        // Vocabulary: values, messages, and the one way to read and write them.
        .target(name: "DeviceModel"),

        // Tests: one target for each of the above, and what they share.
        .testTarget(name: "DeviceModelTests", dependencies: ["DeviceModel"]),
    ]
)

for target in package.targets where ![.system, .plugin].contains(target.type) {
    target.swiftSettings = settings
}
