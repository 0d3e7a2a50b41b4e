// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is due next among any number of things with a number: a heap with four branches whose places are noted.
///
/// Twenty bytes each; a thing that moves or leaves costs the height of the heap, ten at a million.
struct RenewalAgenda: Sendable {
    private struct Entry {
        var due: Int64
        var number: Int32
    }

    private var entries: [Entry] = []
    private var places: [Int32] = []

    var count: Int { entries.count }

    /// The earliest.
    var first: (due: Duration, number: Int)? {
        entries.first.map { (.nanoseconds($0.due), Int($0.number)) }
    }

    /// Makes room for numbers below `count`.
    mutating func grow(to count: Int) {
        while places.count < count { places.append(-1) }
    }

    func due(of number: Int) -> Duration? {
        let place = places[number]
        return place < 0 ? nil : .nanoseconds(entries[Int(place)].due)
    }

    /// What is due by then, in no order; costs as much as there is of it.
    func numbers(dueBy time: Duration) -> [Int] {
        let limit = time.saturatingNanoseconds
        var (numbers, open): ([Int], [Int]) = ([], [0])
        while let place = open.popLast() {
            guard place < entries.count, entries[place].due <= limit else { continue }
            numbers.append(Int(entries[place].number))
            open += place * 4 + 1...place * 4 + 4
        }
        return numbers
    }

    /// Puts a number in, or moves it.
    mutating func set(_ number: Int, due: Duration) {
        // Rounded up: what is due in the middle of a nanosecond is not due at its beginning.
        let floor = due.saturatingNanoseconds
        let isCut = floor < .max && .nanoseconds(floor) < due
        let entry = Entry(due: isCut ? floor + 1 : floor, number: Int32(number))
        let place = Int(places[number])
        if place < 0 {
            entries.append(entry)
            siftUp(entry, from: entries.count - 1)
        } else if entry.due < entries[place].due {
            siftUp(entry, from: place)
        } else {
            siftDown(entry, from: place)
        }
    }

    /// Takes a number out, if it is in.
    mutating func remove(_ number: Int) {
        let place = Int(places[number])
        guard place >= 0 else { return }
        places[number] = -1
        let last = entries.removeLast()
        guard place < entries.count else { return }
        let gone = entries[place]
        if last.due < gone.due { siftUp(last, from: place) } else { siftDown(last, from: place) }
    }

    private mutating func siftUp(_ entry: Entry, from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 4
            guard entry.due < entries[parent].due else { break }
            put(entries[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private mutating func siftDown(_ entry: Entry, from start: Int) {
        var place = start
        while true {
            let firstChild = place * 4 + 1
            guard firstChild < entries.count else { break }
            var best = firstChild
            for child in firstChild + 1..<max(firstChild + 1, min(firstChild + 4, entries.count))
            where entries[child].due < entries[best].due {
                best = child
            }
            guard entries[best].due < entry.due else { break }
            put(entries[best], at: place)
            place = best
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        entries[place] = entry
        places[Int(entry.number)] = Int32(place)
    }
}
