// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A keeper for tests: it forgets everything at the end, and fails when a plan says so.
///
/// ```swift
/// let keeper = InMemorySecretKeeper { call in
///     call.kind == .commit && call.index == 2 ? .unknown : nil
/// }
/// ```
///
/// To a test of what happens after a crash it is the disk: make the new manager with the same keeper.
public final class InMemorySecretKeeper: SecretKeeper {
    private let table = Locked(KeeperTable())
    private let past = Locked<[KeeperCall]>([])
    private let plan: @Sendable (KeeperCall) -> KeeperFault?

    /// Makes an empty keeper; `plan` is asked before every call, from any thread, and answers nil to let it through.
    public init(plan: @escaping @Sendable (KeeperCall) -> KeeperFault? = { _ in nil }) {
        self.plan = plan
    }

    /// Every call so far, failed ones included.
    public var calls: [KeeperCall] { past.withLock { $0 } }

    /// The names under which something is kept, sorted.
    public var names: [String] { table.withLock { $0.entries.keys.sorted() } }

    private func call<Value: Sendable>(
        _ kind: KeeperCall.Kind,
        _ name: String,
        _ body: (inout KeeperTable) throws(SecretKeeperError) -> Value
    ) throws(SecretKeeperError) -> Value {
        let call = past.withLock { calls in
            calls.append(KeeperCall(kind: kind, name: name, index: calls.count))
            return calls[calls.count - 1]
        }
        let fault = plan(call)
        if case .failBefore(let error) = fault { throw error }
        let value = try table.withLock { table throws(SecretKeeperError) in try body(&table) }
        if case .failAfter(let error) = fault { throw error }
        return value
    }

    /// What is kept under a name.
    public func load(_ name: String) async throws(SecretKeeperError) -> KeptSecrets {
        try call(.load, name) { table throws(SecretKeeperError) in try table.load(name) }
    }

    /// Keeps a new secret beside the committed one.
    public func stage(
        _ secret: SecretText,
        as name: String,
        replacing version: UInt64?
    ) async throws(SecretKeeperError) -> UInt64 {
        try call(.stage, name) { table throws(SecretKeeperError) in
            try table.stage(secret, as: name, replacing: version)
        }
    }

    /// Makes the staged secret the committed one.
    public func commit(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try call(.commit, name) { table throws(SecretKeeperError) in try table.commit(name, version: version) }
    }

    /// Forgets the staged secret.
    public func discard(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try call(.discard, name) { table throws(SecretKeeperError) in try table.discard(name, version: version) }
    }

    /// Forgets a name.
    public func remove(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try call(.remove, name) { table throws(SecretKeeperError) in try table.remove(name, version: version) }
    }
}
