// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease that is written down and not made yet.
struct IssuePlan: Sendable {
    /// The record, pending.
    let record: LeaseRecord
    /// What the backend is told.
    let call: BackendCall
    /// What was granted.
    let terms: TTLDecision
    /// When it was decided: validity counts from here, before anything was sent.
    let moment: Moment
    /// How long the backend may take.
    let timeout: Duration

    var id: LeaseID { record.id }
}

/// What came back from making it.
struct Made<Secret: Sendable>: Sendable {
    let handle: [UInt8]
    let result: Result<Issued<Secret>, BackendFailure>
}

extension BackendFailure {
    /// The backend was never called.
    static let neverSent = BackendFailure(
        .transient,
        code: "neverSent",
        "the backend was not called any more",
        underlying: NeverSent()
    )

    /// Whether the backend was called at all.
    var wasSent: Bool { !(underlying is NeverSent) }

    private struct NeverSent: Error {}
}

/// The size that a handle may have in a record.
enum HandleSize {
    static let maximum = 64 * 1024

    static func check(_ handle: [UInt8], of mount: MountRuntime) throws {
        if handle.count <= maximum { return }
        throw LeaseError(
            .handleTooLarge,
            "the handle of backend \(mount.backend.kind) is \(handle.count) bytes; store at most \(maximum), such as a name "
                + "that finds the rest at the target"
        )
    }
}

/// A place at a mount's gate that is given back exactly once.
struct Place {
    let manager: LeaseManager
    let mount: MountRuntime
    private var isHeld = false

    init(manager: LeaseManager, mount: MountRuntime) {
        self.manager = manager
        self.mount = mount
    }

    /// Takes a place if there is one at once.
    mutating func takeNow(at now: LeaseInstant) -> Bool {
        isHeld = mount.enterNow(at: now)
        return isHeld
    }

    /// Waits for a place.
    mutating func take(until deadline: Duration) async throws {
        try await mount.enter(until: deadline, manager.clock)
        isHeld = true
    }

    /// Somebody else gives it back now.
    mutating func handOn() { isHeld = false }

    mutating func leaveIfHeld() {
        guard isHeld else { return }
        isHeld = false
        mount.leave(.demand)
    }
}

extension IssueOptions {
    /// Checks what does not depend on anything else.
    func validate() throws(LeaseError) {
        if uses == 0 {
            throw LeaseError(.invalidRequest, "uses is 0; ask for at least one, or nil for any number")
        }
        let size = labels.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if size > 512 {
            throw LeaseError(.invalidRequest, "the labels take \(size) bytes; keep them within 512")
        }
        try validate(requestID, "requestID")
        try validate(owner, "owner")
        try validate(actor, "actor")
        if (sealedPayload?.count ?? 0) > HandleSize.maximum {
            throw LeaseError(.invalidRequest, "the sealed payload is larger than \(HandleSize.maximum) bytes")
        }
    }
    private func validate(_ text: String?, _ name: StaticString) throws(LeaseError) {
        guard let text, text.isEmpty || text.utf8.count > 256 else { return }
        throw LeaseError(.invalidRequest, "\(name) has \(text.utf8.count) bytes; use 1 to 256, or nil for none")
    }
}
