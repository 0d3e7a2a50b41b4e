// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct CachedCredentialsTests {
    /// A source whose answers run for an hour, which can be made to fail and to be slow.
    private final class Source: AWSCredentialsProvider {
        struct State: Sendable {
            var asked = 0
            var isBroken = false
            var life = Duration.seconds(3_600)
            var pause = Duration.seconds(1)
        }
        let time: VirtualTime
        let state = Locked(State())

        init(_ time: VirtualTime) { self.time = time }

        func credentials() async throws(AWSError) -> AWSCredentials {
            let state = state.withLock { state in
                state.asked += 1
                return state
            }
            do { try await time.sleep(for: state.pause) } catch { throw AWSError(.unreachable, "cancelled") }
            if state.isBroken { throw AWSError(.unreachable, "broken") }
            return AWSCredentials(
                accessKeyID: "ASIA\(state.asked)",
                secretAccessKey: SecretText("s"),
                sessionToken: SecretText("t"),
                expiresAt: time.read().wall + state.life
            )
        }

        var asked: Int { state.withLock { $0.asked } }
    }

    private func drive(_ body: @escaping @Sendable (VirtualTime, Source, CachedCredentials) async throws -> Void) throws
    {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 3, time: time)
        let source = Source(time)
        let cached = CachedCredentials(source, time)
        try executor.drive { try await body(time, source, cached) }
    }

    @Test func manyAskAndTheSourceIsAskedOnce() throws {
        try drive { _, source, cached in
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { try await cached.credentials().accessKeyID } }
                for try await id in group { #expect(id == "ASIA1") }
            }
            #expect(source.asked == 1)
        }
    }

    /// Who waits for a source that fails is told with the one who asked; nobody asks it again in a row behind the others.
    @Test func manyAskABrokenSourceAndItIsAskedOnce() throws {
        try drive { time, source, cached in
            source.state.withLock { $0.isBroken = true }
            let began = time.read().continuous
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        do {
                            _ = try await cached.credentials()
                            return true
                        } catch { return false }
                    }
                }
                for await isGiven in group { #expect(!isGiven) }
            }
            #expect(source.asked == 1)
            #expect(time.read().continuous - began == .seconds(1))
            // Whoever comes later asks anew.
            source.state.withLock { $0.isBroken = false }
            let id = try await cached.credentials().accessKeyID
            #expect(id == "ASIA2")
        }
    }

    /// One who gives up while it asks does not answer for the others.
    @Test func whoGivesUpFailsNobodyElse() throws {
        try drive { time, source, cached in
            try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        inner.addTask { _ = try? await cached.credentials() }
                        try? await time.sleep(for: .milliseconds(500))
                        inner.cancelAll()
                    }
                    return nil
                }
                group.addTask {
                    try await time.sleep(for: .milliseconds(100))
                    return try await cached.credentials().accessKeyID
                }
                for try await id in group { #expect(id == nil || id == "ASIA2") }
            }
            #expect(source.asked == 2)
        }
    }

    @Test func renewsBeforeTheEnd() throws {
        try drive { time, source, cached in
            _ = try await cached.credentials()
            try await time.sleep(for: .seconds(3_290))
            #expect(try await cached.credentials().accessKeyID == "ASIA1")
            try await time.sleep(for: .seconds(20))
            #expect(try await cached.credentials().accessKeyID == "ASIA2")
            #expect(source.asked == 2)
        }
    }

    @Test func aBrokenSourceMattersOnlyAtTheEnd() throws {
        try drive { time, source, cached in
            _ = try await cached.credentials()
            source.state.withLock { $0.isBroken = true }
            try await time.sleep(for: .seconds(3_400))
            for _ in 0..<10 { #expect(try await cached.credentials().accessKeyID == "ASIA1") }
            // Left alone for a while after it failed.
            #expect(source.asked == 2)
            try await time.sleep(for: .seconds(190))
            await #expect(throws: AWSError.self) { try await cached.credentials() }
            source.state.withLock { $0.isBroken = false }
            #expect(try await cached.credentials().accessKeyID.hasPrefix("ASIA"))
        }
    }

    /// While one waits for new ones, the others go on with what still works.
    @Test func aSlowSourceHoldsUpNobodyElse() throws {
        try drive { time, source, cached in
            _ = try await cached.credentials()
            source.state.withLock { $0.pause = .seconds(30) }
            try await time.sleep(for: .seconds(3_400))
            let began = time.read().continuous
            let waits = try await withThrowingTaskGroup(of: Duration.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        _ = try await cached.credentials()
                        return time.read().continuous - began
                    }
                }
                var waits: [Duration] = []
                for try await wait in group { waits.append(wait) }
                return waits
            }
            #expect(waits.count { $0 > .zero } == 1, "\(waits)")
            let id = try await cached.credentials().accessKeyID
            #expect(id == "ASIA2" && source.asked == 2)
        }
    }

    @Test func aJumpOfTheWallClockMakesNothingLast() throws {
        try drive { time, source, cached in
            _ = try await cached.credentials()
            time.jumpWall(by: .seconds(-7_200))
            try await time.sleep(for: .seconds(3_500))
            #expect(try await cached.credentials().accessKeyID == "ASIA2")
            #expect(source.asked == 2)
        }
    }

    @Test func shortOnesAreNotRenewedEachTime() throws {
        try drive { time, source, cached in
            source.state.withLock { $0.life = .seconds(120) }
            for _ in 0..<10 { _ = try await cached.credentials() }
            #expect(source.asked == 1)
            try await time.sleep(for: .seconds(95))
            _ = try await cached.credentials()
            #expect(source.asked == 2)
        }
    }

    @Test func onesThatAreOverAreRefused() throws {
        try drive { _, source, cached in
            source.state.withLock { $0.life = .seconds(-5) }
            let error = await #expect(throws: AWSError.self) { try await cached.credentials() }
            #expect(error?.code == .badCredentials)
        }
    }
}
