// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension IAMUserBackend {
    /// Removes everything that can hang on a user, page by page: what a person has added, too.
    ///
    /// A kind that cannot be listed is left out: whether it mattered, deleting the user will tell. What may not be removed is told
    /// at the end, when everything else is gone.
    func strip(_ name: String, _ iam: IAMCalls) async throws(AWSError) {
        let user: IAMCalls.Parameters = [("UserName", name)]
        var refused: AWSError?
        let remove = { (removals: [IAMCalls.Step]) async throws(AWSError) in
            do throws(AWSError) {
                try await self.together(removals, iam, creating: nil)
            } catch  where error.code == .accessDenied {
                refused = refused ?? error
            }
        }
        for kind in Self.kinds {
            let found: [String]
            do throws(AWSError) {
                found = try await iam.names(kind.list, kind.element, name) { node in
                    kind.field.isEmpty ? node.text : node.text(kind.field)
                }
            } catch  where error.code != .outOfTime && error.code != .unreachable {
                continue
            }
            let removals = found.map { IAMCalls.Step(kind.removal, user + [(kind.parameter, $0)]) }
            try await remove(removals)
            // A virtual device without its user would stay for ever, and keep its name.
            if kind.removal == "DeactivateMFADevice" {
                let virtual = found.filter { $0.contains(":mfa/") }
                try await remove(virtual.map { IAMCalls.Step("DeleteVirtualMFADevice", [("SerialNumber", $0)]) })
            }
        }
        // There is one at most, and nothing to list.
        try await remove([IAMCalls.Step("DeleteLoginProfile", user)])
        if let refused { throw refused }
    }

    private struct Kind {
        let list: String
        let element: String
        /// Empty where an element is the name itself.
        let field: String
        let removal: String
        let parameter: String
    }

    private static let kinds = [
        Kind(
            list: "ListAccessKeys",
            element: "AccessKeyMetadata",
            field: "AccessKeyId",
            removal: "DeleteAccessKey",
            parameter: "AccessKeyId"
        ),
        Kind(
            list: "ListUserPolicies",
            element: "PolicyNames",
            field: "",
            removal: "DeleteUserPolicy",
            parameter: "PolicyName"
        ),
        Kind(
            list: "ListAttachedUserPolicies",
            element: "AttachedPolicies",
            field: "PolicyArn",
            removal: "DetachUserPolicy",
            parameter: "PolicyArn"
        ),
        Kind(
            list: "ListGroupsForUser",
            element: "Groups",
            field: "GroupName",
            removal: "RemoveUserFromGroup",
            parameter: "GroupName"
        ),
        Kind(
            list: "ListMFADevices",
            element: "MFADevices",
            field: "SerialNumber",
            removal: "DeactivateMFADevice",
            parameter: "SerialNumber"
        ),
        Kind(
            list: "ListSSHPublicKeys",
            element: "SSHPublicKeys",
            field: "SSHPublicKeyId",
            removal: "DeleteSSHPublicKey",
            parameter: "SSHPublicKeyId"
        ),
        Kind(
            list: "ListSigningCertificates",
            element: "Certificates",
            field: "CertificateId",
            removal: "DeleteSigningCertificate",
            parameter: "CertificateId"
        ),
        Kind(
            list: "ListServiceSpecificCredentials",
            element: "ServiceSpecificCredentials",
            field: "ServiceSpecificCredentialId",
            removal: "DeleteServiceSpecificCredential",
            parameter: "ServiceSpecificCredentialId"
        ),
    ]
}
