// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ConformanceRule {
    static let insertion: [ConformanceRule] = [
        ConformanceRule("an id is taken once") { bench in
            let insertion = bench.insertion()
            _ = try await bench.added(insertion)
            bench.expect(try await bench.insert(insertion), isRefused: .duplicateID)
        },
        ConformanceRule("a credential starts pending, a session active") { bench in
            let credential = try await bench.added(bench.insertion())
            var session = bench.insertion()
            session.kind = .session
            bench.expectEqual(credential.state, .pending, "state")
            bench.expectEqual(try await bench.added(session).state, .active, "state")
        },
        ConformanceRule("sequences grow") { bench in
            let first = try await bench.added(bench.insertion("db/z"))
            let second = try await bench.added(bench.insertion("db/a"))
            bench.expect(second.sequence > first.sequence, "a higher sequence", "\(second.sequence)")
        },
        ConformanceRule("a repeated request id finds its lease") { bench in
            var first = bench.insertion()
            first.fields.requestID = "r-1"
            _ = try await bench.added(first)
            var second = bench.insertion("db/other")
            second.fields.requestID = "r-1"
            bench.expect(try await bench.insert(second), isRefused: .requestRepeated(first.id))
            _ = try await bench.update(first.id, .remove(nil, .abandoned))
            bench.expect(try await bench.insert(second).record != nil, "a free request id once the lease is gone")
        },
        ConformanceRule("no child under a parent that is not active") { bench in
            bench.expect(
                try await bench.insert(bench.insertion(under: LeaseID(high: 7, low: 7))), isRefused: .parentNotActive)
            let pending = try await bench.added(bench.insertion())
            bench.expect(
                try await bench.insert(bench.insertion(under: pending.id)), isRefused: .parentNotActive)
            let parent = try await bench.active { $0.expiresAt = bench.now + .seconds(5) }
            bench.pass(5)
            var late = bench.insertion(under: parent.id)
            late.bindsToParent = false
            bench.expect(try await bench.insert(late), isRefused: .parentNotActive)
        },
        ConformanceRule("a bound child ends with its parent at the latest") { bench in
            let parent = try await bench.active()
            var child = bench.insertion(under: parent.id)
            child.expiresAt = parent.expiresAt + .seconds(1)
            bench.expect(try await bench.insert(child), isRefused: .beyondParent(parent.expiresAt))
            child.bindsToParent = false
            bench.expect(try await bench.insert(child).record != nil, "an unbound child may end later")
        },
        ConformanceRule("an issue after its deadline is too late") { bench in
            var insertion = bench.insertion()
            insertion.deadline = bench.now
            bench.expect(try await bench.insert(insertion), isRefused: .tooLate)
        },
        ConformanceRule("quotas hold, each kind") { bench in
            let parent = try await bench.active("db/p")
            var held = bench.insertion("db/q", under: parent.id)
            held.fields.owner = "ann"
            _ = try await bench.added(held)
            let limits: [(LeaseQuotas.Scope, LeaseQuotas)] = [
                (.mount, LeaseQuotas(perMount: 2)), (.path, LeaseQuotas(perPath: 1)),
                (.parent, LeaseQuotas(perParent: 1)), (.owner, LeaseQuotas(perOwner: 1)),
            ]
            for (scope, quotas) in limits {
                var next = bench.insertion("db/q", under: parent.id)
                next.fields.owner = "ann"
                next.quotas = quotas
                let outcome = try await bench.insert(next)
                guard case .quotaExceeded(let breach) = outcome.refusal, breach.scope == scope else {
                    bench.expect(false, "quota of the \(scope) to be exceeded", "\(outcome)")
                    continue
                }
            }
            var free = bench.insertion("db/r")
            free.quotas = LeaseQuotas(perMount: 3, perPath: 1, perParent: 1, perOwner: 1)
            bench.expect(try await bench.insert(free).record != nil, "room where the limits are not reached")
        },
        ConformanceRule("what was inserted is found as it was") { bench in
            var insertion = bench.insertion()
            insertion.role = [5, 6]
            insertion.fields.owner = "ann"
            insertion.fields.labels = ["a": "b"]
            insertion.fields.period = .seconds(9)
            insertion.fields.explicitMaximum = .seconds(99)
            insertion.fields.usesLeft = 3
            insertion.fields.sealedPayload = [8]
            let record = try await bench.added(insertion)
            let found = try await bench.find(insertion.id)
            bench.expect(found.flatMap { $0.difference(from: record) } == nil, "the record as it was answered")
            bench.expectEqual(found?.details?.fields, insertion.fields, "fields")
            bench.expectEqual(found?.role, [5, 6], "role")
        },
        ConformanceRule("each change of an array is atomic alone and answered in order") { bench in
            let first = bench.insertion()
            let second = bench.insertion()
            let reply = try await bench.store.apply([.insert(first), .insert(first), .insert(second)], bench.context())
            bench.expectEqual(reply.value.map { $0.record?.id }, [first.id, nil, second.id], "answers")
        },
    ]
}
