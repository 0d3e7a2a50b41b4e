// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Counts by state, as seven columns `n0` to `n6` of a row.
struct Tally {
    private var numbers = SIMD8<Int64>(repeating: 0)

    init() {}

    /// Reads the seven columns that begin at `column`.
    init(_ statement: borrowing Statement, _ column: Int32) {
        for place in 0..<7 { numbers[place] = Int64(statement.count(column + Int32(place))) }
    }

    /// Binds the seven columns from `index` on.
    func bind(_ statement: borrowing Statement, _ index: Int32) {
        for place in 0..<7 { statement.bind(index + Int32(place), numbers[place]) }
    }

    subscript(_ state: LeaseState) -> Int64 {
        get { numbers[Int(state.rawValue)] }
        set { numbers[Int(state.rawValue)] = newValue }
    }

    var total: Int { Int(numbers.wrappedSum()) }

    var counts: LeaseCounts {
        var counts = LeaseCounts()
        for state in LeaseState.allCases { counts[state] = Int(self[state]) }
        return counts
    }

    /// Notes that a lease came, went or changed its state.
    mutating func move(from before: LeaseState?, to after: LeaseState?) {
        if let before { self[before] -= 1 }
        if let after { self[after] += 1 }
    }
}

/// A row with counts that is kept in memory and written back once a commit.
class TalliedEntry {
    let id: Int64
    var tally: Tally
    var isDirty = false

    init(id: Int64, tally: Tally) {
        self.id = id
        self.tally = tally
    }
}

/// A path of one mount, and how many leases lie there.
final class Place: TalliedEntry {
    let path: String
    let mount: MountID

    init(id: Int64, path: String, mount: MountID, tally: Tally) {
        self.path = path
        self.mount = mount
        super.init(id: id, tally: tally)
    }
}

/// Somebody whom leases are held for, and how many.
final class Owner: TalliedEntry {
    let name: String

    init(id: Int64, name: String, tally: Tally) {
        self.name = name
        super.init(id: id, tally: tally)
    }
}

/// A mount, and how many leases it has.
final class MountEntry: TalliedEntry {
    /// Nil for a mount that leases name but nobody registered.
    var registration: MountRegistration? {
        didSet { isWritten = false }
    }
    /// Whether all but the counts is in the row.
    var isWritten = false

    init(id: MountID, registration: MountRegistration?, tally: Tally = Tally()) {
        self.registration = registration
        super.init(id: Int64(id.rawValue), tally: tally)
    }
}

/// A role's version, and how many leases were made by it.
final class Role {
    let id: Int64
    let version: [UInt8]
    var uses: Int
    var isDirty = false

    init(id: Int64, version: [UInt8], uses: Int) {
        self.id = id
        self.version = version
        self.uses = uses
    }
}
