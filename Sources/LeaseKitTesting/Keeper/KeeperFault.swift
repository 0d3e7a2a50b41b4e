// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What happens to one call to a keeper.
public enum KeeperFault: Hashable, Sendable {
    /// It fails with this error, and nothing is done.
    case failBefore(SecretKeeperError)
    /// It is done, and its answer is replaced by this error.
    case failAfter(SecretKeeperError)

    /// The keeper cannot be reached; nothing is done.
    public static let unavailable = failBefore(SecretKeeperError(.unavailable, "the keeper is out of reach (injected)"))
    /// It is done, and the answer is lost.
    public static let unknown = failAfter(SecretKeeperError(.unknownOutcome, "the answer was lost (injected)"))
}
