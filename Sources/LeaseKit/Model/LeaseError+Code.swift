// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseError {
    /// The kinds of trouble.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case invalidPath, invalidRequest, invalidLimits, unknownRole, unknownMount, duplicateMount,
                mountKindMismatch
            case mountInUse, pathClosed
            case leaseNotFound, leaseNotActive, leaseExpired, notRenewable, pastMaximum, parentNotActive, hasChildren
            case noUsesLeft, requestRepeated, quotaExceeded, overloaded, deadlineExceeded
            case backendFailed, backendDenied, targetUnavailable, targetMismatch, credentialGone, handleTooLarge
            case managerNotRunning, managerStopped, alreadyRunning, volatileStoreRefused, heldOff
            case storeRefused, storeUnavailable, storeUnknown, invalidCursor, orderNotFound, abilityMissing
        }

        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// A path is empty, malformed or too long.
        public static let invalidPath = Code(.invalidPath)
        /// Something in a request is out of bounds.
        public static let invalidRequest = Code(.invalidRequest)
        /// Limits or settings contradict each other, or are out of bounds.
        public static let invalidLimits = Code(.invalidLimits)
        /// The backend knows no such role.
        public static let unknownRole = Code(.unknownRole)
        /// Nothing is mounted there.
        public static let unknownMount = Code(.unknownMount)
        /// Something is mounted there, above it or below it already.
        public static let duplicateMount = Code(.duplicateMount)
        /// The store holds leases of another kind of backend at this path.
        public static let mountKindMismatch = Code(.mountKindMismatch)
        /// The mount still has leases.
        public static let mountInUse = Code(.mountInUse)
        /// A closing order refuses new leases at this path.
        public static let pathClosed = Code(.pathClosed)
        /// No such lease: it never was, or it is over.
        public static let leaseNotFound = Code(.leaseNotFound)
        /// The lease is being ended, or was never handed out.
        public static let leaseNotActive = Code(.leaseNotActive)
        /// The lease's time is over.
        public static let leaseExpired = Code(.leaseExpired)
        /// The lease cannot be extended.
        public static let notRenewable = Code(.notRenewable)
        /// The lease has reached its maximum.
        public static let pastMaximum = Code(.pastMaximum)
        /// The parent is gone, expired or being ended.
        public static let parentNotActive = Code(.parentNotActive)
        /// Other leases hang on this one.
        public static let hasChildren = Code(.hasChildren)
        /// Every use of the lease was consumed.
        public static let noUsesLeft = Code(.noUsesLeft)
        /// A request of this id was answered already.
        public static let requestRepeated = Code(.requestRepeated)
        /// A limit on the number of live leases is reached.
        public static let quotaExceeded = Code(.quotaExceeded)
        /// Too much is waiting already.
        public static let overloaded = Code(.overloaded)
        /// The call did not finish in time; what it may have made is being ended.
        public static let deadlineExceeded = Code(.deadlineExceeded)
        /// The backend could not do it.
        public static let backendFailed = Code(.backendFailed)
        /// The target refuses, and will until somebody changes something.
        public static let backendDenied = Code(.backendDenied)
        /// The target cannot be reached.
        public static let targetUnavailable = Code(.targetUnavailable)
        /// Another target answers at this address.
        public static let targetMismatch = Code(.targetMismatch)
        /// The credential is not at the target any more.
        public static let credentialGone = Code(.credentialGone)
        /// A backend's handle is larger than a record may hold.
        public static let handleTooLarge = Code(.handleTooLarge)
        /// The call needs ``LeaseManager/run()``, and nobody has started it.
        public static let managerNotRunning = Code(.managerNotRunning)
        /// The manager is stopping or has stopped.
        public static let managerStopped = Code(.managerStopped)
        /// ``LeaseManager/run()`` runs already.
        public static let alreadyRunning = Code(.alreadyRunning)
        /// The backend's credentials would outlive a store that forgets.
        public static let volatileStoreRefused = Code(.volatileStoreRefused)
        /// The manager ends nothing by time until somebody says so.
        public static let heldOff = Code(.heldOff)
        /// The store refused a change; nothing was done.
        public static let storeRefused = Code(.storeRefused)
        /// The store cannot be reached; nothing was done.
        public static let storeUnavailable = Code(.storeUnavailable)
        /// The store's answer was lost; it may have been done.
        public static let storeUnknown = Code(.storeUnknown)
        /// A cursor belongs to another query or store.
        public static let invalidCursor = Code(.invalidCursor)
        /// No such revocation order.
        public static let orderNotFound = Code(.orderNotFound)
        /// The backend cannot do this.
        public static let abilityMissing = Code(.abilityMissing)

        /// The code as one word, such as `pastMaximum`.
        public var description: String { value.rawValue }

        var isRetryable: Bool {
            switch value {
            case .overloaded, .deadlineExceeded, .backendFailed, .targetUnavailable, .managerNotRunning,
                .storeUnavailable,
                .storeUnknown, .quotaExceeded:
                true
            default: false
            }
        }
    }
}
