// swift-tools-version: 6.2
// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "LeaseKit", path: "../..")
    ],
    targets: [
        // The raw baseline: the same library, without LeaseKit.
        .systemLibrary(
            name: "CRawSQLite",
            pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]
        ),
        .systemLibrary(
            name: "CRawPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        // Counts allocations.
        .target(name: "CAllocations"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CAllocations",
                "CRawPQ",
                "CRawSQLite",
                .product(name: "LeaseKit", package: "LeaseKit"),
                .product(name: "LeaseKitAWS", package: "LeaseKit"),
                .product(name: "LeaseKitPostgres", package: "LeaseKit"),
                .product(name: "LeaseKitSQLite", package: "LeaseKit"),
                .product(name: "LeaseKitTesting", package: "LeaseKit"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
    ],
    swiftLanguageModes: [.v6]
)
