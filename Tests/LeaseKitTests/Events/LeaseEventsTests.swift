// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite(.timeLimit(.minutes(5))) struct LeaseEventsTests {
    private let hub = EventHub(observers: [])

    private static func event(_ number: Int) -> LeaseEvent {
        LeaseEvent(.issued, at: LeaseInstant(secondsSinceEpoch: Int64(number)), generation: UInt32(number))
    }

    private func publish(_ numbers: Range<Int>) { for number in numbers { hub.publish(Self.event(number)) } }

    /// Reads to the end: the numbers, and how many were dropped on the way.
    private static func read(_ events: LeaseEvents) async -> (numbers: [Int], dropped: Int) {
        var (numbers, dropped): ([Int], Int) = ([], 0)
        for await element in events {
            numbers.append(Int(element.event.generation))
            dropped += element.droppedBefore
        }
        return (numbers, dropped)
    }

    @Test func eventsComeInOrder() async {
        let events = hub.subscribe(buffer: 10)
        publish(0..<10)
        hub.finish()
        let read = await Self.read(events)
        #expect(read.numbers == Array(0..<10))
        #expect(read.dropped == 0)
    }

    @Test(arguments: [1, 2, 7, 100])
    func aFullBufferDropsTheOldestAndCountsThem(limit: Int) async {
        let events = hub.subscribe(buffer: limit)
        publish(0..<500)
        hub.finish()
        var iterator = events.makeAsyncIterator()
        let first = await iterator.next()
        #expect(first?.droppedBefore == 500 - limit)
        #expect(first?.event.generation == UInt32(500 - limit))
        let rest = await Self.read(events)
        #expect(rest.numbers == Array(501 - limit..<500))
        #expect(rest.dropped == 0)
    }

    @Test func aBufferBelowOneKeepsOne() async {
        let events = hub.subscribe(buffer: -3)
        publish(0..<5)
        hub.finish()
        #expect(await Self.read(events).numbers == [4])
    }

    @Test func dropsAreCountedSinceTheLastOneThatWasRead() async {
        let events = hub.subscribe(buffer: 2)
        var iterator = events.makeAsyncIterator()
        publish(0..<5)
        #expect(await iterator.next()?.droppedBefore == 3)
        #expect(await iterator.next()?.droppedBefore == 0)
        publish(5..<9)
        #expect(await iterator.next()?.droppedBefore == 2)
    }

    @Test func finishEndsAWaitingReader() async {
        let events = hub.subscribe(buffer: 4)
        async let read = Self.read(events)
        publish(0..<1)
        hub.finish()
        #expect(await read.numbers == [0])
    }

    @Test func afterTheFinishNothingIsPublishedAndNewStreamsAreOver() async {
        let events = hub.subscribe(buffer: 4)
        hub.finish()
        publish(0..<3)
        #expect(await Self.read(events).numbers.isEmpty)
        #expect(await Self.read(hub.subscribe(buffer: 4)).numbers.isEmpty)
    }

    @Test func cancellationEndsTheReading() async {
        let events = hub.subscribe(buffer: 4)
        await withTaskGroup(of: Int.self) { group in
            group.addTask { await Self.read(events).numbers.count }
            group.cancelAll()
            #expect(await group.next() == 0)
        }
    }

    @Test func threeReadersEachGetEverything() async {
        let streams = (0..<3).map { _ in hub.subscribe(buffer: 2_000) }
        await withTaskGroup(of: [Int].self) { group in
            for events in streams { group.addTask { await Self.read(events).numbers } }
            publish(0..<1_000)
            hub.finish()
            for await numbers in group { #expect(numbers == Array(0..<1_000)) }
        }
    }

    @Test func aSlowReaderHoldsUpNobody() async {
        let slow = hub.subscribe(buffer: 8)
        let quick = hub.subscribe(buffer: 20_000)
        publish(0..<20_000)
        hub.finish()
        #expect(await Self.read(quick).numbers.count == 20_000)
        let late = await Self.read(slow)
        #expect(late.numbers == Array(19_992..<20_000))
        #expect(late.dropped == 19_992)
    }

    @Test func whatIsReadAndWhatIsDroppedAddUpUnderLoad() async {
        let events = hub.subscribe(buffer: 16)
        let read = await withTaskGroup(of: (Int, Int)?.self) { group in
            group.addTask {
                let read = await Self.read(events)
                return (read.numbers.count, read.dropped)
            }
            group.addTask { [hub] in
                await withTaskGroup(of: Void.self) { writers in
                    for writer in 0..<8 {
                        writers.addTask { for n in 0..<500 { hub.publish(Self.event(writer * 500 + n)) } }
                    }
                }
                hub.finish()
                return nil
            }
            return await group.reduce(into: (0, 0)) { if let read = $1 { $0 = read } }
        }
        #expect(read.0 + read.1 == 4_000)
    }

    @Test func anEventIsNotMadeWhenNobodyListens() {
        var made = 0
        func make() -> LeaseEvent {
            made += 1
            return Self.event(0)
        }
        hub.publish(make())
        #expect(made == 0)
        let events = hub.subscribe(buffer: 1)
        hub.publish(make())
        #expect(made == 1)
        withExtendedLifetime(events) {}
    }

    @Test func aStreamThatNobodyHoldsIsLetGo() {
        _ = hub.subscribe(buffer: 1)
        var made = 0
        func make() -> LeaseEvent {
            made += 1
            return Self.event(0)
        }
        let other = hub.subscribe(buffer: 1)
        hub.publish(make())
        #expect(made == 1)
        withExtendedLifetime(other) {}
    }

    @Test func observersAreToldInOrderAndEachOnce() {
        let (first, second) = (EventLog(), EventLog())
        let hub = EventHub(observers: [first, second])
        for number in 0..<3 { hub.publish(Self.event(number)) }
        #expect(first.events.map(\.generation) == [0, 1, 2])
        #expect(second.events.map(\.generation) == [0, 1, 2])
    }

    @Test func theLineForALogNamesLeaseCauseAndFailure() {
        let id = LeaseID(high: 1, low: 2)
        let event = LeaseEvent(
            .revocationFailed,
            at: LeaseInstant(secondsSinceEpoch: 0),
            lease: id,
            path: "database/creds/app",
            cause: LeaseCause(.requested, actor: "ops"),
            failure: LeaseFailure(code: "57P03", message: "starting up"),
            note: "again soon"
        )
        #expect(
            event.description
                == "revocationFailed database/creds/app/\(id) (requested by ops): 57P03: starting up: again soon"
        )
    }
}
