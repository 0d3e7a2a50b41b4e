// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Makes an empty database of an earlier version, for the tests of its migration.
package enum SchemaFixture {
    /// Every version that was ever written.
    package static let versions = 1...Schema.steps.count

    /// Makes a database by the steps that led to a version.
    package static func make(version: Int, at path: String) throws {
        _ = try DatabaseFile.prepare(path)
        let connection = try Connection(path: path)
        for step in Schema.steps[..<version] { try connection.execute(step, "make a fixture") }
        try LeaseTable.begin(connection, deployment: "")
        try connection.execute(
            "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = \(version)",
            "make a fixture"
        )
    }
}
