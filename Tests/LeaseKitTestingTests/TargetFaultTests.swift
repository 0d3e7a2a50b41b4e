// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct TargetFaultTests {
    /// What an issue with ten seconds of patience sees of a fault, and what lives at the target then and a minute
    /// later.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var set: @Sendable (InMemoryTarget) -> Void
        var kind: BackendFailure.Kind?
        var scope = BackendFailure.Scope.lease
        var took: Duration = .zero
        var isLive: Bool
        var isLiveLater: Bool

        init(
            _ fault: TargetFault,
            _ kind: BackendFailure.Kind? = nil,
            scope: BackendFailure.Scope = .lease,
            took: Int = 0,
            live: Bool,
            later: Bool
        ) {
            self.init("\(fault)", kind, scope: scope, took: took, live: live, later: later) { $0.script(.issue, fault) }
        }

        init(
            _ name: String,
            _ kind: BackendFailure.Kind?,
            scope: BackendFailure.Scope,
            took: Int = 0,
            live: Bool,
            later: Bool,
            set: @escaping @Sendable (InMemoryTarget) -> Void
        ) {
            testDescription = name
            self.set = set
            self.kind = kind
            self.scope = scope
            self.took = .seconds(took)
            isLive = live
            isLiveLater = later
        }
    }

    static let cases: [Case] = [
        Case(.none, live: true, later: true),
        Case(.failBefore(), .transient, live: false, later: false),
        Case(.failBefore(.denied, scope: .target), .denied, scope: .target, live: false, later: false),
        Case(.failAfter, .ambiguous, live: true, later: true),
        Case(.hang, .ambiguous, took: 10, live: false, later: false),
        Case(.lose, .ambiguous, took: 10, live: false, later: false),
        Case(.loseReply, .ambiguous, took: 10, live: true, later: true),
        Case(.delay(.seconds(4)), took: 4, live: true, later: true),
        Case(.delay(.seconds(40)), .ambiguous, took: 10, live: false, later: true),
        Case(.slowReply(.seconds(4)), took: 4, live: true, later: true),
        Case(.slowReply(.seconds(40)), .ambiguous, took: 10, live: true, later: true),
        Case(.late(.seconds(20)), .ambiguous, took: 10, live: false, later: true),
        Case(.late(.seconds(3)), .ambiguous, took: 10, live: true, later: true),
        Case(.lateAfterRevoke(), .ambiguous, took: 10, live: false, later: false),
        Case(.duplicate(after: .seconds(1)), live: true, later: true),
        Case("refusing", .transient, scope: .target, live: false, later: false) { $0.partition(.refusing) },
        Case("silent", .ambiguous, scope: .target, took: 10, live: false, later: false) { $0.partition(.silent) },
        Case("losing replies", .ambiguous, scope: .target, took: 10, live: true, later: true) {
            $0.partition(.losingReplies)
        },
        Case("another link", nil, scope: .lease, live: true, later: true) { $0.partition(.silent, link: "b") },
        Case("login", .denied, scope: .target, live: false, later: false) { $0.setLoginBroken(true) },
    ]

    @Test(arguments: cases) func issueSeesWhatItShould(_ row: Case) throws {
        let world = World()
        let backend = world.backend()
        row.set(world.target)
        try world.drive {
            let call = world.call()
            var handle = try backend.prepare("app", call)
            var failure: BackendFailure?
            do {
                let issued = try await backend.issue("app", as: &handle, call)
                #expect(world.target.check(issued.secret))
                #expect(handle.number != nil)
            } catch { failure = error as? BackendFailure ?? BackendFailure(.gone, "\(error)") }
            #expect(failure?.kind == row.kind)
            if row.kind != nil { #expect(failure?.scope == row.scope) }
            #expect(world.time.read().continuous == row.took)
            #expect(world.target.isLive(handle.name) == row.isLive)
            await world.time.advance(by: .seconds(60))
            #expect(world.target.isLive(handle.name) == row.isLiveLater)
        }
    }

    @Test(arguments: cases) func anImmediateBackendNeverWaits(_ row: Case) throws {
        let world = World()
        let backend = world.backend(abilities: BackendAbilities(callStyle: .immediate))
        row.set(world.target)
        try world.drive {
            let call = world.call()
            var handle = try backend.prepare("app", call)
            _ = try? await backend.issue("app", as: &handle, call)
            #expect(world.time.read().continuous == .zero)
        }
    }

    @Test func scriptsGoOneByOneAndForOneOperation() throws {
        let world = World()
        let backend = world.backend()
        world.target.script(.issue, .failBefore(), .none, .failBefore(.denied))
        try world.drive {
            var kinds: [BackendFailure.Kind?] = []
            for lease in 1...4 as ClosedRange<UInt64> {
                do {
                    _ = try await world.issue(lease, on: backend)
                    kinds.append(nil)
                } catch { kinds.append((error as? BackendFailure)?.kind) }
            }
            #expect(kinds == [.transient, nil, .denied, nil])
            let fingerprint = try await backend.fingerprint(world.call())
            #expect(fingerprint == "target-1")
        }
        #expect(world.target.arrivals(of: .issue) == 4)
    }

    @Test func releasingAHangingRequestDoesAndAnswersIt() throws {
        for applying in [true, false] {
            let world = World()
            let backend = world.backend()
            world.target.script(.issue, .hang)
            try world.drive {
                let issued = Task(executorPreference: world.executor) { try await world.issue(on: backend) }
                try await world.time.waitUntilArmed(within: .seconds(10))
                await world.time.advance(by: .seconds(3))
                world.target.releaseHanging(applying: applying)
                let failure = await issued.result.failure as? BackendFailure
                #expect(failure?.kind == (applying ? nil : .transient))
            }
            #expect(world.time.read().continuous == .seconds(3))
            #expect(world.time.sleeperCount == 0)
            #expect(world.target.liveCredentials.count == (applying ? 1 : 0))
        }
    }

    @Test func randomFaultsReplay() throws {
        func run(_ seed: UInt64) throws -> [TargetEvent] {
            let world = World(seed: seed)
            let backend = world.backend()
            world.target.setRandomFaults(.everything(0.9))
            try world.drive {
                for lease in 1...60 as ClosedRange<UInt64> { _ = try? await world.issue(lease, on: backend) }
                world.target.stopFaults()
            }
            return world.target.history
        }
        let seed = SeededGenerator.seed(or: 8)
        let (one, two, other) = (try run(seed), try run(seed), try run(seed &+ 1))
        #expect(one == two, "seed \(seed)")
        #expect(one != other, "seed \(seed)")
        #expect(one.contains { $0.isLate }, "seed \(seed)")
        #expect(one.contains { if case .refused = $0.action { true } else { false } }, "seed \(seed)")
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
