// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The servers that the tests run against: rights changed between 15 and 16.
enum ServerVersion: CaseIterable, Sendable {
    /// What the system's package manager installed.
    case system
    /// PostgreSQL 16, unpacked by `Tests/run` into `.build/postgres-16`.
    case sixteen

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// The folder of `postgres` and `initdb`.
    func binaries() throws -> String {
        let candidates =
            switch self {
            case .system: Self.systemFolders()
            case .sixteen: ["\(repository)/.build/postgres-16/pgserver/pginstall/bin"]
            }
        if let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }) {
            return found
        }
        throw Missing(description: "no server in \(candidates): Tests/run installs it")
    }

    private static func systemFolders() -> [String] {
        let debian = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
        let sorted = versions.compactMap { Int($0) }.sorted(by: >).map { "\(debian)/\($0)/bin" }
        return sorted + ["/opt/homebrew/opt/postgresql@15/bin", "/usr/local/opt/postgresql@15/bin"]
    }

    /// Found from this file: Tests/LeaseKitPostgresTests/Server/ServerVersion.swift.
    private var repository: String {
        (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path
    }
}
