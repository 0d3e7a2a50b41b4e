// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What was found out about the admin's rights before anything depends on them.
public struct PreflightReport: Hashable, Sendable {
    /// Something that is not as it should be.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The configured role that it is about; nil for all of them.
        public let role: String?
        /// Whether credentials cannot be made, or not be ended, until it is mended.
        ///
        /// Anything else is advice.
        public let isBlocking: Bool
        /// What is wrong.
        public let message: String
        /// Statements that mend it, for somebody with the rights to run them.
        public let remedy: String?

        /// The role, what is wrong, and what mends it.
        public var description: String {
            let subject = role.map { "role \"\($0)\": " } ?? ""
            return subject + message + (remedy.map { "; run: \($0)" } ?? "")
        }
    }

    /// Everything that was found, what blocks first.
    public internal(set) var findings: [Finding]

    /// Whether every role's credentials can be made and ended.
    public var isReady: Bool { !findings.contains(where: \.isBlocking) }

    /// Throws what blocks, if anything does.
    ///
    /// - Throws: `LeaseError` with the code `backendFailed`, and everything that blocks in its message.
    public func requireReady() throws(LeaseError) {
        let blocking = findings.filter(\.isBlocking)
        if blocking.isEmpty { return }
        throw LeaseError(.backendFailed, blocking.map(\.description).joined(separator: "\n"))
    }
}

extension PreflightReport: CustomStringConvertible {
    /// One line for each finding.
    public var description: String {
        findings.isEmpty ? "everything is as it should be" : findings.map(\.description).joined(separator: "\n")
    }
}
