// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

package import LeaseKit

/// Makes and ends credentials at a ``TargetServer``; each bears its lease's id as its name.
package struct SocketBackend: SecretBackend {
    package let client: TargetClient
    private let steps: KillSteps

    package init(_ client: TargetClient, steps: KillSteps = KillSteps(nil)) {
        self.client = client
        self.steps = steps
    }

    package var kind: String { "socket/1" }
    /// The target makes things up to 40 ms late.
    package var abilities: BackendAbilities { BackendAbilities(isRenewable: true, settleTime: .milliseconds(120)) }

    package func prepare(_ request: Duration, _ call: BackendCall) throws -> TextHandle { TextHandle(call.id.text) }

    package func issue(
        _ request: Duration,
        as handle: inout TextHandle,
        _ call: BackendCall
    ) async throws -> Issued<String> {
        let secret = "secret-\(LeaseID.random().text)"
        steps.reach(.beforeMake)
        guard try await ask("make \(handle) \(secret)") == "ok" else {
            throw BackendFailure(.ambiguous, "the target gave no answer")
        }
        steps.reach(.afterMake)
        return Issued(secret)
    }

    package func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed {
        steps.reach(.beforeMove)
        steps.reach(.afterMove)
        return .until(call.expiresAt)
    }

    package func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        steps.reach(.beforeEnd)
        let answer = try await ask("end \(handle)")
        steps.reach(.afterEnd)
        return answer == "ended" ? .revoked : .alreadyGone
    }

    private func ask(_ line: String) async throws -> String? {
        do {
            return try await client.ask(later: line)
        } catch TargetClient.Trouble.notSent {
            throw BackendFailure(.transient, "the target takes no connections")
        } catch {
            throw BackendFailure(.ambiguous, "the target gave no answer")
        }
    }
}
