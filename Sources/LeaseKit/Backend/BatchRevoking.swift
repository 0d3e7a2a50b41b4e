// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A backend that ends many credentials in one go.
public protocol BatchRevoking: SecretBackend {
    /// The most that it takes at once.
    var batchLimit: Int { get }

    /// Ends credentials of one mount, each as ``SecretBackend/revoke(_:_:)`` would, and answers each one by one.
    ///
    /// Answers in the order of `items`. A missing answer counts as ambiguous.
    func revoke(_ items: [BatchItem<Handle>]) async -> [Result<RevocationOutcome, any Error>]
}

/// One credential of a batch.
public struct BatchItem<Handle: LeaseHandle>: Sendable {
    /// What finds it.
    public let handle: Handle
    /// Everything about the call.
    public let call: BackendCall

    /// Makes an item.
    public init(handle: Handle, call: BackendCall) {
        self.handle = handle
        self.call = call
    }
}
