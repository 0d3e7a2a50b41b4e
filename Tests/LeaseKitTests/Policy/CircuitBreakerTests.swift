// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite struct CircuitBreakerTests {
    private let start = LeaseInstant(secondsSinceEpoch: 1_000)

    private func open(retryAfter: Duration? = nil) -> CircuitBreaker {
        var breaker = CircuitBreaker(probeInterval: .seconds(3))
        #expect(breaker.fail(at: start, retryAfter: retryAfter) == true)
        return breaker
    }

    @Test func aClosedOneLetsEverythingThrough() {
        var breaker = CircuitBreaker()
        #expect(breaker.isClosed)
        #expect(breaker.nextProbe == nil)
        #expect(breaker.openSince == nil)
        for second in 0..<100 { #expect(breaker.admit(at: start + .seconds(second)) == true) }
    }

    @Test func aSuccessOfAClosedOneIsNoNews() {
        var breaker = CircuitBreaker()
        #expect(breaker.succeed() == false)
    }

    @Test func theFirstFailureOpensItAndIsNews() {
        let breaker = open()
        #expect(!breaker.isClosed)
        #expect(breaker.openSince == start)
        #expect(breaker.nextProbe == start + .seconds(3))
    }

    @Test func aFurtherFailureIsNoNewsAndKeepsTheBeginning() {
        var breaker = open()
        #expect(breaker.fail(at: start + .seconds(5)) == false)
        #expect(breaker.openSince == start)
        #expect(breaker.nextProbe == start + .seconds(8))
    }

    @Test(arguments: [0, 1, 2_999])
    func anOpenOneLetsNothingThroughBeforeTheProbe(milliseconds: Int) {
        var breaker = open()
        let now = start + .milliseconds(milliseconds)
        #expect(!breaker.wouldAdmit(at: now))
        #expect(breaker.admit(at: now) == false)
    }

    @Test func oneProbeGoesThroughAndNoSecondOne() {
        var breaker = open()
        let probe = start + .seconds(3)
        #expect(breaker.wouldAdmit(at: probe))
        #expect(breaker.admit(at: probe) == true)
        #expect(breaker.admit(at: probe) == false)
        #expect(breaker.admit(at: probe + .milliseconds(2_999)) == false)
    }

    @Test func aProbeThatNeverReportsLapses() {
        var breaker = open()
        #expect(breaker.admit(at: start + .seconds(3)) == true)
        #expect(breaker.admit(at: start + .seconds(6)) == true)
    }

    @Test func askingWhetherItWouldAdmitTakesNothing() {
        var breaker = open()
        let probe = start + .seconds(3)
        for _ in 0..<10 { #expect(breaker.wouldAdmit(at: probe)) }
        #expect(breaker.admit(at: probe) == true)
    }

    @Test func aSuccessClosesItAndIsNewsOnce() {
        var breaker = open()
        #expect(breaker.succeed() == true)
        #expect(breaker.isClosed)
        #expect(breaker.succeed() == false)
        #expect(breaker.admit(at: start) == true)
    }

    @Test func theTargetMayAskToBeLeftAloneForLongerButNotForLess() {
        #expect(open(retryAfter: .seconds(60)).nextProbe == start + .seconds(60))
        #expect(open(retryAfter: .seconds(1)).nextProbe == start + .seconds(3))
        #expect(open(retryAfter: .seconds(-5)).nextProbe == start + .seconds(3))
    }

    @Test func aTargetThatAsksForHoursIsProbedAfterAMinute() {
        #expect(open(retryAfter: .seconds(86_400)).nextProbe == start + .seconds(60))
        #expect(open(retryAfter: .seconds(Int64.max)).nextProbe == start + .seconds(60))
    }

    @Test func aProbeThatFailsPutsTheNextOneOff() {
        var breaker = open()
        #expect(breaker.admit(at: start + .seconds(3)) == true)
        #expect(breaker.fail(at: start + .seconds(4)) == false)
        #expect(breaker.admit(at: start + .milliseconds(6_999)) == false)
        #expect(breaker.admit(at: start + .seconds(7)) == true)
        #expect(breaker.openSince == start)
    }

    @Test func theEndOfTimeIsNoProblem() {
        var breaker = CircuitBreaker(probeInterval: .seconds(Int64.max))
        #expect(breaker.fail(at: start) == true)
        #expect(breaker.nextProbe == .distantFuture)
        #expect(breaker.admit(at: start + .seconds(1_000_000)) == false)
    }
}
