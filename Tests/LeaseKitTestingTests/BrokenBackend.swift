// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Synchronization

/// An in-memory backend with one defect, to see that the conformance suite finds it.
final class BrokenBackend: SecretBackend, InventoryListing, BatchRevoking {
    /// What is wrong; each names the rule that it breaks.
    enum Defect: String, CaseIterable, Sendable {
        case randomNames, oneNameForAll, hugeHandles, handlesThatChange, issueFails, deadSecrets, secretInHandle
        case leakySecret, nameChosenByIssue, revokeDoesNothing, failsWhenGone, ignoresTheMark, saysGoneForForeign
        case unrevocableRevokes, renewsOnlyInWords, addsToTheEnd, grantsTooMuch, renewsWhatIsGone, unrenewableRenews
        case issuesOver, ignoresDeadlines, anyRole, wrongUnknownRole, negativeTTL, versionsThatChange, onePassword
        case fingerprintsThatChange, onePageOnly, listsTwice, listsOthers, listsUselessHandles, endlessPages
        case batchBackwards, batchTooShort

        var rule: BackendRule {
            switch self {
            case .randomNames: .prepareIsDeterministic
            case .oneNameForAll: .prepareIsUnique
            case .hugeHandles: .handleIsSmall
            case .handlesThatChange: .handleRoundTrips
            case .issueFails: .issueWorks
            case .deadSecrets: .secretIsUsable
            case .secretInHandle: .handleHoldsNoSecret
            case .leakySecret: .secretIsRedacted
            case .nameChosenByIssue: .preparedHandleIsEnough
            case .revokeDoesNothing: .revokedIsUnusable
            case .failsWhenGone: .revokeOfNeverIssuedIsGone
            case .ignoresTheMark, .saysGoneForForeign: .foreignMarkIsLeftAlone
            case .unrevocableRevokes: .unrevocableSaysWhenItEnds
            case .renewsOnlyInWords, .grantsTooMuch: .renewMovesTheEnd
            case .addsToTheEnd: .renewIsRepeatable
            case .renewsWhatIsGone: .renewOfGoneIsGone
            case .unrenewableRenews: .unrenewableRefuses
            case .issuesOver: .pastExpiryLeavesNothing
            case .ignoresDeadlines: .hungCallEndsByItsDeadline
            case .anyRole, .wrongUnknownRole: .unknownRoleIsRefused
            case .negativeTTL: .limitsMakeSense
            case .versionsThatChange: .roleVersionIsStable
            case .onePassword: .concurrentIssuesAreIndependent
            case .fingerprintsThatChange: .fingerprintIsStable
            case .onePageOnly, .listsTwice: .inventoryIsExact
            case .listsOthers: .inventoryLeavesOthersOut
            case .listsUselessHandles: .inventoryHandleIsEnough
            case .endlessPages: .inventoryPagesEnd
            case .batchBackwards, .batchTooShort: .batchAnswersInOrder
            }
        }
    }

    struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
        let credential: FakeCredential
        let isLeaky: Bool
        var description: String { isLeaky ? credential.password : credential.description }
        var customMirror: Mirror { Mirror(self, children: [:]) }
    }

    struct Handle: LeaseHandle {
        var text: String
        let isFickle: Bool
        init(_ text: String, isFickle: Bool) { (self.text, self.isFickle) = (text, isFickle) }
        init(handleBytes: [UInt8]) throws {
            text = try TextHandle(handleBytes: handleBytes).text
            isFickle = text.hasPrefix("fickle")
            if isFickle { text += "+" }
        }
        var handleBytes: [UInt8] { Array(text.utf8) }
        var inner: InMemoryHandle { InMemoryHandle(name: String(text.prefix { $0 != "|" && $0 != "+" })) }
    }

    let base: InMemoryBackend
    let defect: Defect?
    private let counter = Atomic(0)

    init(_ base: InMemoryBackend, _ defect: Defect?) {
        self.base = base
        self.defect = defect
    }

    private func count() -> Int { counter.wrappingAdd(1, ordering: .relaxed).newValue }

    var kind: String { "broken" }
    var batchLimit: Int { base.batchLimit }

    var abilities: BackendAbilities {
        var abilities = base.abilities
        if defect == .unrenewableRenews { abilities.isRenewable = false }
        if defect == .unrevocableRevokes { abilities.isRevocable = false }
        return abilities
    }

    func path(for request: InMemoryRequest) throws -> String {
        if defect == .anyRole { return "creds/\(request.role)" }
        if defect == .wrongUnknownRole, request.role != "app" { throw BackendFailure(.denied, "no such role") }
        return try base.path(for: request)
    }

    func limits(at path: String) throws -> TTLLimits {
        defect == .negativeTTL ? TTLLimits(ttl: .seconds(-1)) : try base.limits(at: path)
    }

    func roleVersion(at path: String) throws -> [UInt8] {
        defect == .versionsThatChange ? [UInt8(count() % 251)] : try base.roleVersion(at: path)
    }

    func prepare(_ request: InMemoryRequest, _ call: BackendCall) throws -> Handle {
        let name = try base.prepare(request, call).name
        switch defect {
        case .randomNames: return Handle("\(name)-\(count())", isFickle: false)
        case .oneNameForAll: return Handle("always", isFickle: false)
        case .hugeHandles: return Handle(name + "|" + String(repeating: "x", count: 70_000), isFickle: false)
        case .handlesThatChange: return Handle("fickle-\(name)", isFickle: true)
        default: return Handle(name, isFickle: false)
        }
    }

    func issue(_ request: InMemoryRequest, as handle: inout Handle, _ call: BackendCall) async throws -> Issued<Secret>
    {
        var (inner, call) = (handle.inner, call)
        switch defect {
        case .issueFails: throw BackendFailure(.denied, "not today")
        case .nameChosenByIssue:
            inner = InMemoryHandle(name: "chosen-\(inner.name)")
            handle.text = inner.name
        case .issuesOver: call.expiresAt = call.now + .seconds(60)
        case .ignoresDeadlines: call.deadline = call.now + .seconds(100_000)
        default: break
        }
        let issued = try await base.issue(request, as: &inner, call)
        if defect == .deadSecrets { base.target.drop(inner.name) }
        if defect == .secretInHandle { handle.text += "|" + issued.secret.password }
        return Issued(Secret(credential: issued.secret, isLeaky: defect == .leakySecret), expiresAt: issued.expiresAt)
    }

    func renew(_ handle: inout Handle, _ call: BackendCall) async throws -> Renewed {
        var (inner, call) = (handle.inner, call)
        switch defect {
        case .renewsOnlyInWords: return .until(call.expiresAt)
        case .grantsTooMuch: return .until(call.expiresAt + .seconds(60))
        case .addsToTheEnd:
            let asked = call.expiresAt
            call.expiresAt = asked + .seconds(600 * count())
            _ = try await base.renew(&inner, call)
            return .until(asked)
        case .renewsWhatIsGone: return .until((try? await base.renew(&inner, call).expiresAt) ?? call.expiresAt)
        case .ignoresDeadlines: call.deadline = call.now + .seconds(100_000)
        default: break
        }
        return try await base.renew(&inner, call)
    }

    func revoke(_ handle: Handle, _ call: BackendCall) async throws -> RevocationOutcome {
        var call = call
        switch defect {
        case .revokeDoesNothing: return .revoked
        case .ignoresTheMark:
            if let mark = base.target.principal(handle.inner.name)?.mark { call.mark = mark }
        case .ignoresDeadlines: call.deadline = call.now + .seconds(100_000)
        default: break
        }
        let outcome = try await base.revoke(handle.inner, call)
        if defect == .failsWhenGone, outcome == .alreadyGone { throw BackendFailure(.gone, "nothing there") }
        if defect == .saysGoneForForeign, outcome == .notOurs { return .alreadyGone }
        return outcome
    }

    func fingerprint(_ call: BackendCall) async throws -> String? {
        defect == .fingerprintsThatChange ? "target-\(count())" : try await base.fingerprint(call)
    }

    func inventory(
        of deployment: String,
        after cursor: String?,
        _ call: BackendCall
    ) async throws -> InventoryPage<Handle> {
        let page = try await base.inventory(of: deployment, after: defect == .endlessPages ? nil : cursor, call)
        var items = page.items.map { item in
            let text = defect == .listsUselessHandles ? "number-\(item.handle.number ?? 0)" : item.handle.name
            return InventoryPage.Item(handle: Handle(text, isFickle: false), mark: item.mark, madeAt: item.madeAt)
        }
        switch defect {
        case .onePageOnly: return InventoryPage(items: items, next: nil)
        case .listsTwice: items += items.prefix(1)
        case .listsOthers:
            for other in base.target.liveCredentials {
                guard let mark = other.mark, mark.deployment != deployment else { continue }
                items.append(.init(handle: Handle(other.name, isFickle: false), mark: mark, madeAt: nil))
            }
        default: break
        }
        return InventoryPage(items: items, next: defect == .endlessPages ? "again" : page.next)
    }

    func revoke(_ items: [BatchItem<Handle>]) async -> [Result<RevocationOutcome, any Error>] {
        var items = items.map { BatchItem(handle: $0.handle.inner, call: $0.call) }
        // The item that is not ours goes first, or the last one is forgotten.
        if defect == .batchBackwards { items.reverse() }
        if defect == .batchTooShort { items.removeLast() }
        return await base.revoke(items)
    }
}
