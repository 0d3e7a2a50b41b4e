// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

// The sanitizer would slow every child down and see nothing: a killed process reports no race.
#if !LEASEKIT_TSAN
    import LeaseKit
    import LeaseKitKeeper
    import Testing

    @Suite struct KeeperCrashTests {
        /// What is kept, as the parent knows it.
        private struct Model: Equatable, CustomStringConvertible {
            var committed: String?
            var staged: String?
            var description: String { "committed \(committed ?? "–"), staged \(staged ?? "–")" }

            mutating func apply(_ operation: [Substring]) {
                switch operation[0] {
                case "stage": staged = String(operation[1])
                case "commit": (committed, staged) = (staged, nil)
                default: staged = nil
                }
            }
        }

        @Test func aKilledProcessLeavesWhatItAcknowledgedOrOneStepMore() async throws {
            let scratch = try Scratch()
            await (try scratch.open()).close()
            var model = Model()
            var lastVersion: UInt64 = 0
            var acknowledged = 0
            var cut = 0
            for round in 0..<120 {
                let victim = try Victim(["loop", scratch.path, scratch.hexKey])
                var lines: [String] = []
                for _ in 0..<Int.random(in: 0...12) { victim.line().map { lines.append($0) } }
                for _ in 0..<Int.random(in: 0...200_000) { lines.reserveCapacity(16) }
                try #require(victim.killAndWait() == -9, "\(lines)")
                while let line = victim.line() { lines.append(line) }

                var inFlight: [Substring]?
                for line in lines {
                    let words = line.split(separator: " ")
                    if words[0] == ">" {
                        inFlight = Array(words[1...])
                    } else if let operation = inFlight, let version = UInt64(words[1]) {
                        model.apply(operation)
                        if operation[0] == "stage" {
                            #expect(version > lastVersion, "round \(round): a version was given twice")
                            lastVersion = version
                        }
                        inFlight = nil
                        acknowledged += 1
                    } else {
                        Issue.record("round \(round): \(line)")
                    }
                }
                let keeper = try await scratch.open()
                let kept = try await keeper.load("a")
                await keeper.close()
                let found = Model(committed: kept.texts[0], staged: kept.texts[1])
                var allowed = [model]
                if let inFlight {
                    cut += 1
                    var next = model
                    next.apply(inFlight)
                    allowed.append(next)
                }
                #expect(allowed.contains(found), "round \(round): \(found), not one of \(allowed)")
                model = found
                lastVersion = max(lastVersion, kept.staged?.version ?? 0)
            }
            // Otherwise this test shows nothing.
            #expect(acknowledged > 100 && cut > 20, "\(acknowledged) acknowledged, \(cut) cut off")
        }

        @Test(arguments: FileStep.allCases, ["stage", "commit", "discard"])
        func eachStepOfAWriteLeavesTheOldOrTheNew(step: FileStep, operation: String) async throws {
            let scratch = try Scratch()
            try await scratch.prepare(isStaged: operation != "stage")
            let victim = try Victim(["step", scratch.path, scratch.hexKey, step.rawValue, operation])
            #expect(victim.wait() == -9)
            let keeper = try await scratch.open()
            let isDone = step == .renamed || step == .folderSynced
            let before: [String?] = operation == "stage" ? ["old", nil] : ["old", "new"]
            let after: [String?] =
                switch operation {
                case "stage": ["old", "new"]
                case "commit": ["new", nil]
                default: ["old", nil]
                }
            #expect(try await keeper.load("a").texts == (isDone ? after : before))
            // It goes on from there, and what the dead process left in the folder is gone.
            _ = try await keeper.stage(SecretText("other"), as: "b", replacing: nil)
            #expect(throws: (any Error).self) { try scratch.bytes(scratch.path + ".new") }
        }

        @Test(arguments: FileStep.allCases)
        func aRekeyThatIsCutOffLeavesOneOfTheKeys(step: FileStep) async throws {
            let scratch = try Scratch()
            try await scratch.prepare(isStaged: true)
            let key = KeeperKey.random()
            let victim = try Victim(
                ["step", scratch.path, scratch.hexKey, step.rawValue, "rekey", Scratch.hex(key)]
            )
            #expect(victim.wait() == -9)
            let isDone = step == .renamed || step == .folderSynced
            await expectCode(.wrongKey) { try await scratch.open(keys: [isDone ? scratch.key : key]) }
            let keeper = try await scratch.open(keys: [key, scratch.key])
            #expect(try await keeper.load("a").texts == ["old", "new"])
            await keeper.close()
            #expect(try await scratch.open(keys: [key]).load("a").texts == ["old", "new"])
        }

        @Test func aDiskThatIsFullLosesNothing() async throws {
            let scratch = try Scratch()
            try await scratch.prepare(isStaged: true)
            let victim = try Victim(["full", scratch.path, scratch.hexKey, "2000"])
            #expect(victim.line() == "diskFull")
            #expect(victim.line()?.hasPrefix("staged ") == true)
            #expect(victim.wait() == 0)
            let keeper = try await scratch.open()
            #expect(try await keeper.load("a").texts == ["old", "new"])
            #expect(try await keeper.load("b").isEmpty)
            #expect(try await keeper.load("c").texts == [nil, "small"])
        }

        @Test func oneProcessAtATimeHasItOpen() async throws {
            let scratch = try Scratch()
            let victim = try Victim(["hold", scratch.path, scratch.hexKey])
            #expect(victim.line() == "open")
            await expectCode(.locked) { try await scratch.open() }
            victim.endInput()
            #expect(victim.wait() == 0)
            _ = try await scratch.open()
        }
    }
#endif
