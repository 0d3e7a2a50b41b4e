// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is asked for: a role's name, and where the role leaves a choice, which.
public struct STSRequest: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The role.
    public var role: String
    /// Which of the role's ``STSRole/roleARNs``; needed when there are several.
    public var roleARN: String?
    /// The code of the MFA device, six digits.
    public var mfaCode: String?

    /// Makes a request.
    public init(_ role: String, roleARN: String? = nil, mfaCode: String? = nil) {
        self.role = role
        self.roleARN = roleARN
        self.mfaCode = mfaCode
    }

    /// Makes a request for a role.
    public init(stringLiteral value: String) { self.init(value) }
}

extension STSRequest: CustomStringConvertible, CustomReflectable {
    /// The role.
    public var description: String { role }
    /// The role and which; the code is left out.
    public var customMirror: Mirror { Mirror(self, children: ["role": role, "roleARN": roleARN as Any]) }
}
