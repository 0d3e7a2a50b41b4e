// swift-tools-version: 6.2
// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One set of settings for every Swift target.
///
/// Warnings are errors in this package alone; packages that depend on it are not affected.
var settings: [SwiftSetting] = [
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    .enableUpcomingFeature("ExistentialAny"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    .enableUpcomingFeature("InternalImportsByDefault"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0470-isolated-conformances.md
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]
#if compiler(>=6.3)
    // Every public type says whether it is Sendable. Swift 6.2 does not know this group of warnings.
    settings.append(.treatWarning("ExplicitSendable", as: .error))
#endif

let package = Package(
    name: "LeaseKit",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LeaseKit", targets: ["LeaseKit"]),
        .library(name: "LeaseKitKeeper", targets: ["LeaseKitKeeper"]),
        .library(name: "LeaseKitPostgres", targets: ["LeaseKitPostgres"]),
        .library(name: "LeaseKitSQLite", targets: ["LeaseKitSQLite"]),
        .library(name: "LeaseKitAWS", targets: ["LeaseKitAWS"]),
        .library(name: "LeaseKitTesting", targets: ["LeaseKitTesting"]),
    ],
    targets: [
        .target(name: "LeaseKit", swiftSettings: settings),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .target(
            name: "LeaseKitKeeper",
            dependencies: [
                "LeaseKit",
                // Apple's platforms have CryptoKit.
                .target(name: "COpenSSL", condition: .when(platforms: [.linux])),
            ],
            swiftSettings: settings
        ),
        .target(name: "LeaseKitTesting", dependencies: ["LeaseKit"], swiftSettings: settings),
        .testTarget(
            name: "LeaseKitTests",
            dependencies: ["LeaseKit", "LeaseKitAWS", "LeaseKitKeeper", "LeaseKitPostgres", "LeaseKitTesting"],
            swiftSettings: settings
        ),
        // The process that the tests of the keeper kill.
        .executableTarget(
            name: "KeeperVictim",
            dependencies: ["LeaseKit", "LeaseKitKeeper"],
            path: "Tests/KeeperVictim",
            swiftSettings: settings
        ),
        .testTarget(
            name: "LeaseKitKeeperTests",
            dependencies: ["LeaseKit", "LeaseKitKeeper", "LeaseKitTesting", "KeeperVictim"],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CSQLite",
            pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]
        ),
        .target(name: "LeaseKitSQLite", dependencies: ["LeaseKit", "CSQLite"], swiftSettings: settings),
        // A process for the tests to kill; no product has it.
        .executableTarget(
            name: "KillSubject",
            dependencies: ["LeaseKit", "LeaseKitSQLite"],
            path: "Tests/KillSubject",
            swiftSettings: settings
        ),
        .testTarget(
            name: "LeaseKitSQLiteTests",
            dependencies: ["LeaseKit", "LeaseKitSQLite", "LeaseKitTesting", "CSQLite", "KillSubject"],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .target(
            name: "LeaseKitPostgres",
            dependencies: [
                "LeaseKit", "CLibPQ",
                // Apple's platforms have CommonCrypto.
                .target(name: "COpenSSL", condition: .when(platforms: [.linux])),
            ],
            swiftSettings: settings
        ),
        // The process that the tests of PostgreSQL credentials kill.
        .executableTarget(
            name: "PostgresVictim",
            dependencies: ["LeaseKit", "LeaseKitPostgres", "LeaseKitSQLite"],
            path: "Tests/PostgresVictim",
            swiftSettings: settings
        ),
        // The pool of Examples/RotatingPool: the tests hold the very code that its readers see to what it promises.
        .executableTarget(
            name: "RotatingPoolExample",
            dependencies: ["LeaseKit", "LeaseKitPostgres"],
            path: "Examples/RotatingPool/Sources/RotatingPool",
            swiftSettings: settings
        ),
        .testTarget(
            name: "LeaseKitPostgresTests",
            dependencies: [
                "LeaseKit", "LeaseKitPostgres", "LeaseKitSQLite", "LeaseKitTesting", "CLibPQ", "PostgresVictim",
                "RotatingPoolExample",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "LeaseKitAWS",
            dependencies: [
                "LeaseKit",
                // Apple's platforms have CryptoKit.
                .target(name: "COpenSSL", condition: .when(platforms: [.linux])),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LeaseKitAWSTests",
            dependencies: ["LeaseKit", "LeaseKitAWS", "LeaseKitTesting"],
            exclude: ["Python"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LeaseKitTestingTests",
            dependencies: ["LeaseKit", "LeaseKitTesting"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
