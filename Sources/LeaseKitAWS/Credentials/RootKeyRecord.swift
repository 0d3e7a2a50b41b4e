// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What a keeper has of an own key: the key, which one it took the place of, and whether another one is being made.
struct RootKeyRecord {
    var credentials: AWSCredentials
    /// The key before it, which may still be there.
    var previous: String?
    /// Set before a key is made: one that nobody knows is then ours.
    var isRotating = false

    init(_ credentials: AWSCredentials, previous: String? = nil, isRotating: Bool = false) {
        self.credentials = credentials
        self.previous = previous
        self.isRotating = isRotating
    }

    init(_ secret: SecretText, _ name: String) throws(AWSError) {
        let parts = secret.withText { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
        guard parts.count == 5, parts[0] == "leasekit-aws-key 1", !parts[1].isEmpty, !parts[2].isEmpty else {
            throw AWSError(.badCredentials, "what the keeper has under \"\(name)\" is no key of AWS")
        }
        credentials = AWSCredentials(accessKeyID: parts[1], secretAccessKey: SecretText(parts[2]))
        previous = parts[3].isEmpty ? nil : parts[3]
        isRotating = parts[4] == "rotating"
    }

    var secret: SecretText {
        let key = credentials.secretAccessKey.withText { $0 }
        let state = isRotating ? "rotating" : ""
        return SecretText("leasekit-aws-key 1\n\(credentials.accessKeyID)\n\(key)\n\(previous ?? "")\n\(state)")
    }
}
