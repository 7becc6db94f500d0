// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let hpack = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let http2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "rollcall",
    products: [
        .executable(name: "rollcalld", targets: ["rollcalld"]),
        .executable(name: "rollcall", targets: ["rollcall"]),
        .library(name: "RollcallClient", targets: ["RollcallClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System: libprotobuf-c, and what the importer cannot see of libc.
        .systemLibrary(
            name: "CProtobufC",
            pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev"])]
        ),
        .target(name: "CRollcallShims"),
        // Loops over bitmaps, for the registers that a processor has.
        .target(name: "CWordKernels"),

        // Vocabulary: values, messages, and the one way to read and write them.
        .target(name: "DeviceModel"),
        .target(name: "CRollcallProto", dependencies: ["CProtobufC"]),
        .target(name: "ProtobufC", dependencies: ["CProtobufC", "CRollcallProto"]),
        .target(name: "Descriptors", dependencies: ["CRollcallProto", "ProtobufC"]),
        .target(name: "JSONText"),
        .target(name: "DynamicMessage", dependencies: ["Descriptors", "DeviceModel", "JSONText", "ProtobufC"]),

        // Who may call: roles, the rules that give them, and what they make of a caller.
        .target(name: "Access", dependencies: ["DeviceModel"]),

        // What runs, in numbers: counters and histograms that cost a call next to nothing.
        .target(name: "Metering", dependencies: ["DeviceModel"]),

        // Calls without a transport: what a method is, how it is served, how it ends.
        .target(
            name: "RPC",
            dependencies: ["Access", "DeviceModel", "Metering", log, .product(name: "NIOCore", package: "swift-nio")]
        ),

        // Engines: filtering and sorting in memory; durability on disk.
        .target(name: "DeviceQuery", dependencies: ["CRollcallShims", "CWordKernels", "DeviceModel"]),
        .target(
            name: "DeviceStore",
            dependencies: [
                "DeviceModel", "Metering",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]
        ),

        // Core and its edges: the one writer; C messages to values and to statuses.
        .target(
            name: "DeviceRegistry",
            dependencies: [
                "CRollcallShims", "DeviceModel", "DeviceQuery", "DeviceStore", "Metering", log,
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .target(name: "DeviceWire", dependencies: ["DeviceModel", "ProtobufC", "CRollcallProto"]),
        .target(name: "StatusWire", dependencies: ["CRollcallProto", "ProtobufC", "RPC"]),

        // Adapters: operations on one side, a wire protocol on the other.
        .target(
            name: "DeviceService",
            dependencies: [
                "Access", "CRollcallProto", "CRollcallShims", "DeviceModel", "DeviceQuery", "DeviceRegistry",
                "DeviceWire",
                "ProtobufC", "RPC", "StatusWire", log,
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .target(
            name: "Reflection",
            dependencies: [
                "CRollcallProto", "Descriptors", "ProtobufC", "RPC",
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .target(name: "TTRPC", dependencies: ["CRollcallProto", "ProtobufC", "RPC", "StatusWire", log] + nio),
        .target(name: "GRPCTransport", dependencies: ["ProtobufC", "RPC", "StatusWire", hpack, log] + nio),

        // Devices as the lines of files, for the client's imports and exports.
        .target(name: "DeviceText", dependencies: ["CRollcallProto", "DeviceModel", "JSONText", "ProtobufC"]),

        // Assembly: the daemon and the client library.
        .target(
            name: "RollcallDaemon",
            dependencies: [
                "Access", "CRollcallProto", "CRollcallShims", "DeviceModel", "DeviceQuery", "DeviceRegistry",
                "DeviceService", "DeviceStore", "GRPCTransport", "ProtobufC", "RPC", "Reflection", "TTRPC", log,
                lifecycle,
                .product(name: "Configuration", package: "swift-configuration"),
            ] + nio
        ),
        .target(
            name: "RollcallClient",
            dependencies: [
                "CRollcallProto", "DeviceModel", "DeviceWire", "ProtobufC", "RPC", "StatusWire", "TTRPC", log,
            ]
                + nio
        ),

        // Executables: parse, run.
        .executableTarget(name: "rollcalld", dependencies: ["DeviceModel", "RollcallDaemon", arguments, log]),
        .executableTarget(
            name: "rollcall",
            dependencies: [
                "Descriptors", "DeviceModel", "DeviceText", "DynamicMessage", "JSONText", "RPC", "RollcallClient",
                arguments,
            ] + nio
        ),

        // Measured by tools/bench: the engine's answers and times, in process.
        .executableTarget(
            name: "QueryBench",
            dependencies: ["DeviceModel", "DeviceQuery"],
            path: "tools/bench-src/QueryBench"
        ),

        // Tests: one target for each of the above, what they share, and a server for clients of other languages.
        .target(
            name: "RollcallTesting",
            dependencies: [
                "CRollcallProto", "Descriptors", "DeviceModel", "DeviceQuery", "DeviceStore", "DeviceWire",
                "GRPCTransport", "ProtobufC", "RPC", "StatusWire", "TTRPC", hpack, http2, log,
            ] + nio,
            path: "Tests/RollcallTesting"
        ),
        .executableTarget(
            name: "EchoServer",
            dependencies: ["GRPCTransport", "RPC", "TTRPC", log] + nio,
            path: "Tests/EchoServer"
        ),
        .testTarget(name: "AccessTests", dependencies: ["Access"]),
        // What tools/fuzz feeds with bytes of its own, and a test with those that were kept.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Access", "CRollcallProto", "Descriptors", "DeviceModel", "DeviceQuery", "DeviceRegistry",
                "DeviceService",
                "DeviceText", "DeviceWire", "DynamicMessage", "GRPCTransport", "JSONText", "ProtobufC", "RPC",
                "Reflection",
                "RollcallTesting", "TTRPC", log, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Tests/FuzzTargets"
        ),
        .testTarget(name: "FuzzTargetsTests", dependencies: ["FuzzTargets"]),
        .testTarget(name: "DeviceModelTests", dependencies: ["DeviceModel"]),
        .testTarget(name: "ProtobufCTests", dependencies: ["CRollcallProto", "ProtobufC", "RollcallTesting"]),
        .testTarget(name: "DescriptorsTests", dependencies: ["Descriptors", "ProtobufC", "RollcallTesting"]),
        .testTarget(name: "JSONTextTests", dependencies: ["JSONText"]),
        .testTarget(
            name: "DynamicMessageTests",
            dependencies: [
                "CRollcallProto", "Descriptors", "DynamicMessage", "JSONText", "ProtobufC", "RollcallTesting",
            ]
        ),
        .testTarget(name: "CWordKernelsTests", dependencies: ["CWordKernels", "RollcallTesting"]),
        .testTarget(name: "DeviceQueryTests", dependencies: ["DeviceModel", "DeviceQuery", "RollcallTesting"]),
        .testTarget(name: "DeviceStoreTests", dependencies: ["DeviceModel", "DeviceStore", "RollcallTesting"]),
        .testTarget(
            name: "DeviceRegistryTests",
            dependencies: ["DeviceModel", "DeviceQuery", "DeviceRegistry", "DeviceStore", "RollcallTesting", log]
        ),
        .testTarget(
            name: "DeviceWireTests",
            dependencies: ["CRollcallProto", "DeviceModel", "DeviceWire", "ProtobufC", "RollcallTesting"]
        ),
        .testTarget(
            name: "DeviceTextTests",
            dependencies: ["CRollcallProto", "DeviceModel", "DeviceText", "DeviceWire", "JSONText", "ProtobufC"]
        ),
        .testTarget(name: "MeteringTests", dependencies: ["DeviceModel", "Metering", "RollcallTesting"]),
        .testTarget(
            name: "RPCTests",
            dependencies: [
                "RPC", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "TTRPCTests",
            dependencies: [
                "CRollcallProto", "ProtobufC", "RPC", "RollcallTesting", "TTRPC", log,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio
        ),
        .testTarget(
            name: "GRPCTransportTests",
            dependencies: ["GRPCTransport", "RPC", "RollcallTesting", hpack] + nio
        ),
        .testTarget(
            name: "DeviceServiceTests",
            dependencies: [
                "Access", "CRollcallProto", "DeviceModel", "DeviceQuery", "DeviceRegistry", "DeviceService",
                "DeviceStore", "DeviceWire", "ProtobufC", "RPC", "RollcallTesting", "StatusWire", log,
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "ReflectionTests",
            dependencies: [
                "CRollcallProto", "Descriptors", "ProtobufC", "RPC", "Reflection",
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "RollcallClientTests",
            dependencies: [
                "CRollcallProto", "DeviceModel", "DeviceWire", "ProtobufC", "RPC", "RollcallClient", "RollcallTesting",
                "TTRPC", log,
            ] + nio
        ),
        .testTarget(
            name: "RollcallTests",
            dependencies: [
                "Descriptors", "DeviceModel", "DynamicMessage", "JSONText", "RollcallClient", "RollcallTesting",
                "rollcall", arguments, .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "RollcallDaemonTests",
            dependencies: [
                "Access", "CRollcallProto", "Descriptors", "DeviceModel", "DeviceRegistry", "DeviceService",
                "DeviceStore", "DeviceWire", "ProtobufC", "RPC", "RollcallClient", "RollcallDaemon", "RollcallTesting",
                "TTRPC", "rollcall", "rollcalld", log, .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio
        ),
    ]
)

for target in package.targets where ![.system, .plugin].contains(target.type) {
    target.swiftSettings = settings
}

// Fed by libFuzzer, which only tools/fuzz links: our own targets then count what they cover, and those of others do not.
if Context.environment["ROLLCALL_FUZZ"] != nil {
    let coverage = "-sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table"
    for target in package.targets where target.type == .regular {
        target.swiftSettings?.append(.unsafeFlags([coverage]))
    }
    package.targets += [
        .systemLibrary(name: "CLibFuzzer", path: "tools/fuzz-src/CLibFuzzer"),
        .executableTarget(
            name: "FuzzDriver",
            dependencies: ["CLibFuzzer", "FuzzTargets"],
            path: "tools/fuzz-src/FuzzDriver",
            swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-Xclang-linker", "-fsanitize=fuzzer", "-use-ld=lld"])]
        ),
    ]
}
