// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a backend can do, and how it wants to be called.
public struct BackendAbilities: Hashable, Sendable {
    /// What its leases hold.
    public var leaseKind: LeaseKind
    /// Whether a credential can be extended.
    public var isRenewable: Bool
    /// Whether a credential can be ended before its time.
    ///
    /// Where it cannot, the record is kept until the end that was promised; a slack that the target adds to that is its own.
    public var isRevocable: Bool
    /// Whether a credential ends by itself at the target when its time is over, give or take a slack.
    ///
    /// A backend whose credentials live until somebody ends them is refused over a volatile store unless the
    /// application insists: a crash would leak them.
    public var endsByItself: Bool
    /// Whether ending a child needs the parent's credential, so that a parent waits for a stuck child.
    public var needsParent: Bool
    /// How its calls behave.
    public var callStyle: CallStyle
    /// How long a request that timed out may still be applied by the target.
    ///
    /// A lease that was never handed out is looked at until this long after the end of its issuing call.
    public var settleTime: Duration

    /// Makes abilities; the defaults describe a backend that issues and revokes.
    public init(
        leaseKind: LeaseKind = .credential,
        isRenewable: Bool = false,
        isRevocable: Bool = true,
        endsByItself: Bool = false,
        needsParent: Bool = false,
        callStyle: CallStyle = .suspending,
        settleTime: Duration = .seconds(60)
    ) {
        self.leaseKind = leaseKind
        self.isRenewable = isRenewable
        self.isRevocable = isRevocable
        self.endsByItself = endsByItself
        self.needsParent = needsParent
        self.callStyle = callStyle
        self.settleTime = settleTime
    }

    /// How a backend's calls behave.
    public struct CallStyle: Hashable, Sendable {
        private enum Value { case immediate, suspending }
        private let value: Value

        /// Never waits for anything: called in place, on the caller's task.
        public static let immediate = CallStyle(value: .immediate)
        /// May wait: called under `run()`, with a deadline, so that it outlives a cancelled caller.
        public static let suspending = CallStyle(value: .suspending)
    }
}
