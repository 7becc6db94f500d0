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
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // System: libprotobuf-c, and what the importer cannot see of libc.
        .systemLibrary(
            name: "CProtobufC",
            pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev"])]
        ),
        .target(name: "CRollcallShims"),

        // Vocabulary: values, messages, and the one way to read and write them.
        .target(name: "DeviceModel"),
        .target(name: "CRollcallProto", dependencies: ["CProtobufC"]),
        .target(name: "ProtobufC", dependencies: ["CProtobufC", "CRollcallProto"]),

        // Engines: filtering and sorting in memory; durability on disk.
        .target(name: "DeviceQuery", dependencies: ["DeviceModel"]),
        .target(
            name: "DeviceStore",
            dependencies: [
                "DeviceModel",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]
        ),

        // Core and its edges: the one writer; C messages to values; calls without a transport.
        .target(name: "RPC", dependencies: [.product(name: "NIOCore", package: "swift-nio")]),

        // Tests: one target for each of the above, and what they share.
        .target(
            name: "RollcallTesting",
            dependencies: ["DeviceModel", "DeviceQuery", "DeviceStore"],
            path: "Tests/RollcallTesting"
        ),
        .testTarget(name: "DeviceModelTests", dependencies: ["DeviceModel"]),
        .testTarget(name: "ProtobufCTests", dependencies: ["CRollcallProto", "ProtobufC", "RollcallTesting"]),
        .testTarget(name: "DeviceQueryTests", dependencies: ["DeviceModel", "DeviceQuery", "RollcallTesting"]),
        .testTarget(name: "DeviceStoreTests", dependencies: ["DeviceModel", "DeviceStore", "RollcallTesting"]),
        .testTarget(name: "RPCTests", dependencies: ["RPC", .product(name: "NIOCore", package: "swift-nio")]),
    ]
)

for target in package.targets where ![.system, .plugin].contains(target.type) {
    target.swiftSettings = settings
}
