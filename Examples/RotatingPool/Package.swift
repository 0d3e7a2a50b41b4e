// swift-tools-version: 6.2
// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "RotatingPool",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "LeaseKit", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "RotatingPool",
            dependencies: [
                .product(name: "LeaseKit", package: "LeaseKit"),
                .product(name: "LeaseKitPostgres", package: "LeaseKit"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        )
    ],
    swiftLanguageModes: [.v6]
)
