// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

/// Whatever can hold a secret keeps it to itself, however it is shown.
@Suite struct RedactionTests {
    private static let password = "correct-horse-battery"

    /// A driver's error with the password in its text, as they come.
    private struct Foreign: Error, CustomStringConvertible {
        let statement = "ALTER ROLE app PASSWORD '\(RedactionTests.password)'"
        var description: String { statement }
    }

    /// Every way in which Swift shows a value.
    private static func views(of value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var printed = ""
        print(value, to: &printed)
        debugPrint(value, to: &printed)
        return ["\(value)", String(describing: value), String(reflecting: value), dumped, printed, mirrored(value)]
    }

    private static func mirrored(_ value: Any, depth: Int = 0) -> String {
        guard depth < 8 else { return "" }
        return Mirror(reflecting: value).children.map { child in
            "\(child.label ?? ""): \(child.value) \(mirrored(child.value, depth: depth + 1))"
        }.joined(separator: "\n")
    }

    private static let credential = FakeCredential(username: "app", password: password)

    private static func lease<Secret>(_ secret: Secret) -> Lease<Secret> {
        let now = LeaseInstant(secondsSinceEpoch: 0)
        let terms = TTLDecision(
            ttl: .seconds(60),
            expiresAt: now + .seconds(60),
            boundBy: .role,
            warnings: [],
            leftToMaximum: nil,
            maximumAt: nil
        )
        return Lease(
            id: LeaseID(high: 1, low: 2),
            path: "database/creds/app",
            secret: secret,
            issuedAt: now,
            expiresAt: now + .seconds(60),
            validUntil: .seconds(60),
            isRenewable: true,
            terms: terms
        )
    }

    private static let failure = BackendFailure(.transient, "cannot alter the role", underlying: Foreign())

    static let holders: [(name: String, value: @Sendable () -> Any)] = [
        ("a lease with a plain string", { lease(password) }),
        ("a lease with a credential", { lease(credential) }),
        ("a lease with bytes", { lease(Array(password.utf8)) }),
        ("an optional lease", { Optional(lease(password)) as Any }),
        ("leases in an array", { [lease(password)] }),
        ("what a backend issued", { Issued(password) }),
        ("what a backend issued, in a result", { Result<Issued<String>, any Error>.success(Issued(password)) }),
        ("a credential", { credential }),
        ("a backend's failure", { failure }),
        ("a failure read from a foreign error", { BackendFailure(reading: Foreign(), during: .issue) }),
        ("a lease error", { LeaseError(.backendFailed, "the backend failed", underlying: Foreign()) }),
        ("a lease error over a failure", { LeaseError(.backendFailed, "the backend failed", underlying: failure) }),
        ("a store's error", { StoreError(.unknown, "the store failed", underlying: Foreign()) }),
        ("a lease error over a store's", { LeaseError(store: Foreign()) }),
        ("the note of a foreign failure", { BackendFailure(reading: Foreign(), during: .revoke).note }),
    ]

    @Test(arguments: holders.indices)
    func noViewShowsTheSecret(index: Int) {
        let (name, value) = Self.holders[index]
        for view in Self.views(of: value()) {
            #expect(!view.contains(Self.password), "\(name) shows it: \(view)")
            #expect(!view.contains("\(Array(Self.password.utf8))"), "\(name) shows its bytes")
        }
    }

    @Test func theTestWouldNoticeASecretThatIsShown() {
        struct Open {
            let secret = RedactionTests.password
        }
        for view in Self.views(of: Open()) { #expect(view.contains(Self.password)) }
    }

    @Test func aLeaseSaysWhatItIsAllTheSame() {
        let lease = Self.lease(Self.password)
        #expect("\(lease)" == "lease \(lease.name) until \(lease.expiresAt), secret <redacted>")
        #expect(lease.name == "database/creds/app/\(lease.id)")
        #expect(lease.secret == Self.password)
    }

    @Test func anErrorNamesTheTypeOfItsCauseAndNoMore() {
        let error = LeaseError(.backendFailed, "it failed", underlying: Foreign())
        #expect(error.description == "backendFailed: it failed")
        #expect(error.debugDescription == "backendFailed: it failed [caused by Foreign]")
    }

    @Test func noEventOfAWholeLifeShowsTheSecret() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            let shown = fixture.log.events.flatMap { Self.views(of: $0) }
            #expect(!shown.isEmpty)
            for view in shown { #expect(!view.contains(lease.secret.password)) }
            let record = try #require(try await fixture.manager.lease(lease.id))
            for view in Self.views(of: record) { #expect(!view.contains(lease.secret.password)) }
            for view in Self.views(of: fixture.mount) { #expect(!view.contains(lease.secret.password)) }
            for view in Self.views(of: fixture.target.principals) { #expect(!view.contains(lease.secret.password)) }
        }
    }
}
