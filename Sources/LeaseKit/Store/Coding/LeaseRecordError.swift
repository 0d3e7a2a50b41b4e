// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Bytes that cannot be read as a record.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseRecordError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A later build wrote them.
    case futureVersion(Int)
    /// They end too early, or are something else.
    case malformed(String)

    /// A short code for a record's failure note.
    public var code: String {
        switch self {
        case .futureVersion: "futureVersion"
        case .malformed: "malformedRecord"
        }
    }

    /// A sentence with the fix in it.
    public var description: String {
        switch self {
        case .futureVersion(let version):
            "the record is of version \(version), and this build reads up to \(LeaseRecord.currentVersion); update LeaseKit "
                + "to the release that wrote it"
        case .malformed(let how):
            "the record cannot be read: \(how); restore it from a backup, or end its credential by hand and abandon it"
        }
    }
}
