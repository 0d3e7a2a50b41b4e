// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension BackendCheck {
    @Sendable func names() async {
        await check(.prepareIsDeterministic) {
            let call = try makeCall()
            let handle = try backend.prepare(suite.request, call)
            let again = try backend.prepare(suite.request, call)
            expect(
                handle.handleBytes == again.handleBytes,
                .prepareIsDeterministic,
                "two calls for one lease prepared different handles"
            )
        }
        await check(.prepareIsUnique) {
            let handles = try (0..<100).map { _ in try backend.prepare(suite.request, makeCall()).handleBytes }
            expect(Set(handles).count == 100, .prepareIsUnique, "a hundred leases share handles")
        }
        await check(.handleRoundTrips) {
            try checkHandle(backend.prepare(suite.request, makeCall()), "prepared")
        }
    }

    private func checkHandle(_ handle: Backend.Handle, _ which: String) throws {
        let bytes = handle.handleBytes
        expect(bytes.count <= 65_536, .handleIsSmall, "a \(which) handle has \(bytes.count) bytes")
        let again = try readBack(handle).handleBytes
        expect(again == bytes, .handleRoundTrips, "a \(which) handle read back has other bytes")
    }

    @Sendable func roles() async {
        await check(.limitsMakeSense) {
            let limits = try backend.limits(at: backend.path(for: suite.request))
            for limit in [limits.ttl, limits.maximum, limits.period] {
                expect(limit.map { $0 > .zero } ?? true, .limitsMakeSense, "a limit is not positive")
            }
            if let ttl = limits.ttl, let maximum = limits.maximum {
                expect(ttl <= maximum, .limitsMakeSense, "the TTL \(ttl) is over the maximum \(maximum)")
            }
        }
        await check(.roleVersionIsStable) {
            let path = try backend.path(for: suite.request)
            let (first, second) = (try backend.roleVersion(at: path), try backend.roleVersion(at: path))
            expect(first == second, .roleVersionIsStable, "two readings differ")
        }
        if let unknown = suite.unknownRequest {
            expectUnknownRole("path(for:)") { _ = try backend.path(for: unknown) }
        }
        if let unknown = suite.unknownPath {
            expectUnknownRole("limits(at:)") { _ = try backend.limits(at: unknown) }
        }
    }

    private func expectUnknownRole(_ name: String, _ body: () throws -> Void) {
        do {
            try body()
            breaks(.unknownRoleIsRefused, "\(name) accepted a role that does not exist")
        } catch {
            let isRight = (error as? LeaseError)?.code == .unknownRole
            expect(isRight, .unknownRoleIsRefused, "\(name) threw \(describe(error)) instead of unknownRole")
        }
    }

    @Sendable func issuing() async {
        await check(.issueWorks) {
            let made = try await make(makeCall())
            try checkHandle(made.handle, "enriched")
            if let isUsable = try await isUsable(made) {
                expect(isUsable, .secretIsUsable, "a secret that was just issued does not work")
            }
        }
    }

    @Sendable func secrecy() async {
        guard let secretBytes = suite.secretBytes else { return }
        await check(.secretIsRedacted) {
            let made = try await make(makeCall())
            let secret = secretBytes(made.issued.secret)
            guard !secret.isEmpty else { return }
            for handle in [made.prepared, made.handle] where handle.handleBytes.contains(secret) {
                breaks(.handleHoldsNoSecret, "the handle's bytes contain the secret")
            }
            var dumped = ""
            dump(made.issued.secret, to: &dumped)
            let texts = [
                "description": "\(made.issued.secret)",
                "debug description": String(reflecting: made.issued.secret),
                "mirror": dumped,
                "handle's description": "\(made.handle)",
            ]
            for (name, text) in texts.sorted(by: { $0.key < $1.key }) where Array(text.utf8).contains(secret) {
                breaks(.secretIsRedacted, "the \(name) shows the secret")
            }
        }
    }

    @Sendable func concurrentIssues() async {
        await check(.concurrentIssuesAreIndependent) {
            let made = try await withThrowingTaskGroup(of: Made.self) { group in
                for _ in 0..<suite.concurrency {
                    let call = try makeCall()
                    group.addTask { try await make(call) }
                }
                return try await group.reduce(into: [Made]()) { $0.append($1) }
            }
            let handles = Set(made.map(\.handle.handleBytes))
            expect(handles.count == made.count, .concurrentIssuesAreIndependent, "overlapping issues share a handle")
            if let secretBytes = suite.secretBytes {
                let secrets = Set(made.map { secretBytes($0.issued.secret) })
                expect(
                    secrets.count == made.count,
                    .concurrentIssuesAreIndependent,
                    "overlapping issues share a secret"
                )
            }
            for each in made {
                let isUsable = try await isUsable(each) ?? true
                expect(isUsable, .concurrentIssuesAreIndependent, "one of several overlapping issues does not work")
            }
        }
    }

    @Sendable func pastExpiry() async {
        for expiry in [Duration.zero, .seconds(-60)] {
            await check(.pastExpiryLeavesNothing) {
                let call = try makeCall(expiresIn: expiry)
                // Refusing is right; so is a credential that is dead on arrival.
                guard let made = try? await make(call) else { return }
                let isUsable = try await isUsable(made) ?? false
                expect(!isUsable, .pastExpiryLeavesNothing, "a lease that was over \(expiry) from now can be used")
            }
        }
    }

    @Sendable func pastDeadline() async {
        await check(.pastDeadlineLeavesNothing) {
            let call = try makeCall(timeout: .zero)
            let began = suite.time.read().continuous
            if (try? await make(call)) != nil {
                breaks(.pastDeadlineLeavesNothing, "issue worked although its deadline was over")
            }
            let took = suite.time.read().continuous - began
            expect(took <= suite.grace, .pastDeadlineLeavesNothing, "it took \(took) to notice")
            guard abilities.isRevocable else { return }
            let outcome = try await backend.revoke(backend.prepare(suite.request, call), later(call))
            expect(Self.isGone(outcome), .pastDeadlineLeavesNothing, "something was made all the same")
        }
    }
}

extension Array where Element == UInt8 {
    /// Whether `other` occurs in one piece.
    func contains(_ other: [UInt8]) -> Bool {
        guard !other.isEmpty, count >= other.count else { return false }
        return (0...(count - other.count)).contains { self[$0..<($0 + other.count)].elementsEqual(other) }
    }
}
