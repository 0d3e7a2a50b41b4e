// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The sentences in which the manager says no.
extension LeaseError {
    /// A TTL decision that granted nothing.
    init(_ error: TTLError) {
        let code: Code =
            switch error.code {
            case .pastMaximum: .pastMaximum
            case .parentEnded: .parentNotActive
            case .beyondBounds: .invalidRequest
            default: .invalidLimits
            }
        self.init(code, error.description, underlying: error)
    }

    /// A store that did not take a new lease.
    init(_ refusal: ChangeRefusal, issuing path: String, _ options: IssueOptions) {
        switch refusal {
        case .parentNotActive:
            self.init(
                .parentNotActive,
                "the parent of the new lease at \"\(path)\" is gone, over or being revoked; issue a new parent first",
                lease: options.parent
            )
        case .pathClosed(let order):
            self.init(.pathClosed, "\"\(path)\" is closed by order \(order); reopen it with reopen(_:) when it is safe")
        case .quotaExceeded(let breach):
            self.init(
                .quotaExceeded,
                "\(breach.limit) leases are live already, which is the quota of this \(breach.scope.rawValue) "
                    + "(\"\(path)\"); revoke some, wait for some to end, or raise the quota"
            )
        default:
            self.init(.storeRefused, "the store did not take a new lease at \"\(path)\": \(refusal)")
        }
    }

    /// A request that was made before, in words that say what became of it.
    init(repeating record: LeaseRecord?, _ lease: LeaseID, _ options: IssueOptions) {
        let request = "request \"\(options.requestID ?? "")\""
        let sentence =
            switch record?.state {
            case nil:
                "\(request) was made before, and its lease \(lease) has just ended; ask again"
            case .pending?:
                "\(request) is being answered with lease \(lease) right now; wait for that call, or ask again when it is over"
            case .active?:
                "\(request) was answered with lease \(lease), whose secret was handed out once and is kept nowhere; revoke that "
                    + "lease, then ask with a new request id"
            default:
                "\(request) was made before, and its lease \(lease) is being ended; ask again when it is gone, or now with a "
                    + "new request id"
            }
        self.init(.requestRepeated, sentence, lease: lease)
    }

    /// A store that did not turn a lease active.
    init(_ refusal: ChangeRefusal, activating record: LeaseRecord) {
        switch refusal {
        case .tooLate:
            self.init(
                .deadlineExceeded,
                "the credential of lease \(record.name) was made too late and is being ended; try again",
                lease: record.id
            )
        case .parentNotActive, .beyondParent:
            self.init(
                .parentNotActive,
                "the parent of lease \(record.name) went while its credential was made, which is being ended",
                lease: record.id
            )
        case .covered(let order):
            self.init(
                .leaseNotActive,
                "order \(order) came while the credential of lease \(record.name) was made, which is being ended",
                lease: record.id
            )
        default:
            self.init(
                .leaseNotActive,
                "lease \(record.name) was given up before its credential was made, which is being ended; try again",
                lease: record.id
            )
        }
    }

    /// A backend that failed while issuing.
    init(_ failure: BackendFailure, issuing record: LeaseRecord, at mount: MountRuntime) {
        self.init(failure, doing: "make a credential at \"\(record.path)\"", at: mount, lease: record.id)
    }

    /// A backend that failed for the mount as a whole.
    init(_ failure: BackendFailure, at mount: MountRuntime) {
        self.init(failure, doing: "reach the target of mount \"\(mount.path)\"", at: mount, lease: nil)
    }

    /// Another target than the one that a mount belongs to; nil for one that does not say who it is.
    init(mismatch found: String?, at mount: MountRuntime) {
        guard let found else {
            self.init(
                .targetMismatch,
                "the target of mount \"\(mount.path)\" does not say who it is, and the mount belongs to "
                    + "\(mount.fingerprint ?? "another one"); nothing is issued and nothing counts as gone until it says so "
                    + "again, or is adopted with adoptTarget(at:)"
            )
            return
        }
        self.init(
            .targetMismatch,
            "another target (\(found)) answers for mount \"\(mount.path)\"; nothing is issued until it is adopted with "
                + "adoptTarget(at:), or the address is put right"
        )
    }

    /// A backend that failed.
    init(_ failure: BackendFailure, doing what: String, at mount: MountRuntime, lease: LeaseID?) {
        let code: Code
        if failure.foundTarget != nil {
            code = .targetMismatch
        } else if let own = failure.underlying as? LeaseError {
            code = own.code
        } else if failure.scope == .target {
            code = .targetUnavailable
        } else if failure.kind == .gone {
            code = .credentialGone
        } else if failure.kind == .denied {
            code = .backendDenied
        } else {
            code = .backendFailed
        }
        self.init(
            code,
            "backend \(mount.backend.kind) could not \(what): \(failure.message) [\(failure.code)]",
            lease: lease,
            retryAfter: failure.retryAfter,
            underlying: failure
        )
    }

    /// A lease that is not there.
    static func notFound(_ id: LeaseID) -> LeaseError {
        LeaseError(
            .leaseNotFound,
            "there is no lease \(id): it never was, it ended, or it was revoked; issue a new one",
            lease: id
        )
    }

    /// A lease that is not active, in words that say why.
    init(_ refusal: ChangeRefusal, using record: LeaseRecord, to what: String, now: LeaseInstant) {
        let subject = "lease \(record.name) cannot be \(what)"
        switch refusal {
        case .notFound:
            self = .notFound(record.id)
        case .tooLate:
            let ago = LeaseDuration.text(of: record.expiresAt.duration(to: now))
            self.init(.leaseExpired, "\(subject): it expired \(ago) ago; issue a new one", lease: record.id)
        case .covered(let order):
            self.init(.leaseNotActive, "\(subject): order \(order) is revoking it; issue a new one", lease: record.id)
        case .wrongState(let state):
            self.init(.leaseNotActive, "\(subject): it is \(state); issue a new one", lease: record.id)
        case .beyondParent(let end):
            self.init(.parentNotActive, "\(subject) beyond the end of its parent at \(end)", lease: record.id)
        case .wouldShorten(let end):
            self.init(
                .invalidRequest,
                "\(subject) to an earlier end than it has (\(end)); set mayShorten if that is meant",
                lease: record.id
            )
        case .noUsesLeft:
            self.init(.noUsesLeft, "\(subject): every use of it was consumed; issue a new one", lease: record.id)
        case .hasChildren:
            self.init(
                .hasChildren,
                "\(subject) alone: other leases hang on it; revoke the tree, or detach them first",
                lease: record.id
            )
        default:
            self.init(
                .storeRefused,
                "\(subject): it changed at the same time (\(refusal)); try again",
                lease: record.id
            )
        }
    }
}
