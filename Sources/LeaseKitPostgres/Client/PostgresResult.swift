// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a statement answered.
public struct PostgresResult: Sendable {
    /// The names of the columns.
    public var columns: [String]
    /// The rows, each value as text; nil is NULL.
    public var rows: [[String?]]
    /// How many rows the statement changed or returned.
    public var affected: Int

    /// Makes a result.
    public init(columns: [String] = [], rows: [[String?]] = [], affected: Int = 0) {
        self.columns = columns
        self.rows = rows
        self.affected = affected
    }

    /// The value of the first row's first column; nil without a row and for NULL.
    public var first: String? { rows.first?.first ?? nil }
}
