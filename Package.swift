// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
]

// The hot path runs in these: cross-module optimisation is worth its build time.
let hot: [SwiftSetting] =
    strict + [
        // The law of exclusivity is held statically by Swift 6; its checks at run time cost some 3 % of a request.
        .unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]

let package = Package(
    name: "hirewire",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "hirewire", targets: ["hirewire"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
    ],
    targets: [
        .target(name: "Domain", swiftSettings: hot),
        .target(name: "Addresses", dependencies: [.product(name: "NIOCore", package: "swift-nio")], swiftSettings: strict),
        .target(name: "RateLimiting", dependencies: ["Domain"], swiftSettings: hot),
        .target(name: "EmbeddedFiles", cSettings: [.unsafeFlags(["-std=gnu23"])]),
        .target(name: "Scheduling"),
        .target(name: "ProcessSetup"),
        .target(name: "SQLiteSetup", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "SQLiteStorage",
            dependencies: [
                "Domain", "SQLiteSetup",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: hot),
        .target(name: "Importing", dependencies: ["Domain"], swiftSettings: hot),
        .target(
            name: "Webhooks", dependencies: ["Addresses", "Domain", "OutboundHTTP", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "HTTPSupport",
            dependencies: [
                "Addresses", "Domain", "CZlib",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: hot),
        .target(
            name: "Listener",
            dependencies: [
                "HTTPSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: hot),
        .target(
            name: "OutboundHTTP",
            dependencies: [
                "Addresses",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: hot),
        .target(
            name: "PublicAPI",
            dependencies: [
                "HTTPSupport", "RateLimiting", "EmbeddedFiles", "Scheduling",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: hot),
        .target(
            name: "OperatorAPI",
            dependencies: [
                "HTTPSupport", "RateLimiting", "EmbeddedFiles",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "DeveloperTools",
            dependencies: [
                "HTTPSupport", "RateLimiting", "EmbeddedFiles",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Files"], swiftSettings: strict),
        .target(
            name: "Server",
            dependencies: [
                "Domain", "RateLimiting", "SQLiteStorage", "Importing", "HTTPSupport", "Listener", "PublicAPI", "OperatorAPI",
                "DeveloperTools", "Webhooks", "OutboundHTTP", "Addresses", "ProcessSetup",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "hirewire",
            dependencies: [
                "Server", "EmbeddedFiles", "Scheduling", "SQLiteStorage", "Importing", "HTTPSupport", "Webhooks", "OutboundHTTP",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "BareHummingbird",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            path: "Tests/benchmarks/BareHummingbird", swiftSettings: strict),
        .executableTarget(
            name: "PostYardstick",
            dependencies: [
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/benchmarks/PostYardstick", swiftSettings: strict),
        .executableTarget(
            name: "PacedChanges", dependencies: ["Domain", "SQLiteStorage", "Webhooks"], path: "Tests/benchmarks/PacedChanges",
            swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "DomainTests", dependencies: ["Domain", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "RateLimitingTests", dependencies: ["RateLimiting", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SQLiteStorageTests",
            dependencies: ["SQLiteStorage", "SQLiteSetup", "Domain", "TestSupport", .product(name: "GRDBSQLite", package: "GRDB.swift")],
            swiftSettings: strict),
        .testTarget(name: "ImportingTests", dependencies: ["Importing", "Domain"], swiftSettings: strict),
        .testTarget(
            name: "WebhooksTests", dependencies: ["Webhooks", "PublicAPI", "HTTPSupport", "Domain"], exclude: ["receivers"],
            swiftSettings: strict),
        .testTarget(
            name: "PublicAPITests", dependencies: ["Addresses", "PublicAPI", "Domain", "HTTPSupport", "SQLiteStorage", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ListenerTests",
            dependencies: [
                "Listener", "HTTPSupport", "Domain", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OperatorAPITests",
            dependencies: [
                "OperatorAPI", "PublicAPI", "HTTPSupport", "RateLimiting", "Domain",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OutboundHTTPTests",
            dependencies: [
                "Addresses", "OutboundHTTP",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["hirewire", "Domain", "OutboundHTTP", "SQLiteStorage", "Webhooks"],
            swiftSettings: strict),
        .testTarget(
            name: "DeveloperToolsTests", dependencies: ["DeveloperTools", "Domain", "EmbeddedFiles"], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["hirewire", "Addresses", "Server", "Webhooks", "OutboundHTTP", "SQLiteStorage", "Domain", "TestSupport"],
            exclude: ["receivers", "confined.py", "terminal.py"], swiftSettings: strict),
    ]
)
