// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

package import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A target that outlives whoever uses it: a directory in which every credential is a file.
///
/// The file's name is the lease's id, its content the secret. Making and ending one are each a single system call, so that a
/// process that is killed has either done it or not.
package struct DirectoryBackend: SecretBackend {
    package let directory: String
    private let steps: KillSteps

    package init(directory: String, steps: KillSteps = KillSteps(nil)) {
        self.directory = directory
        self.steps = steps
    }

    package var kind: String { "directory/1" }
    package var abilities: BackendAbilities { BackendAbilities(isRenewable: true, settleTime: .zero) }

    package func prepare(_ request: Duration, _ call: BackendCall) throws -> TextHandle { TextHandle(call.id.text) }

    package func issue(
        _ request: Duration,
        as handle: inout TextHandle,
        _ call: BackendCall
    ) async throws -> Issued<String> {
        let secret = "secret-\(LeaseID.random().text)"
        steps.reach(.beforeMake)
        let draft = "\(directory)/.\(handle)"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BackendFailure(.transient, "the directory takes no files") }
        let bytes = Array(secret.utf8)
        let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        guard count == bytes.count, rename(draft, "\(directory)/\(handle)") == 0 else {
            throw BackendFailure(.ambiguous, "the file could not be put in place")
        }
        steps.reach(.afterMake)
        return Issued(secret)
    }

    package func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed {
        steps.reach(.beforeMove)
        guard access("\(directory)/\(handle)", F_OK) == 0 else { throw BackendFailure(.gone, "the file is gone") }
        steps.reach(.afterMove)
        return .until(call.expiresAt)
    }

    package func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        steps.reach(.beforeEnd)
        let isGone = unlink("\(directory)/\(handle)") != 0
        steps.reach(.afterEnd)
        return isGone ? .alreadyGone : .revoked
    }
}
