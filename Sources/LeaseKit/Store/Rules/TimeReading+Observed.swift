// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension TimeReading {
    /// The time as a store knows it when it is opened.
    ///
    /// In the same boot, what was observed last plus what has passed since; else what the wall clock shows.
    public func time(after observed: ObservedTime?) -> LeaseInstant {
        guard let observed, !bootID.isEmpty, observed.bootID == bootID, continuous >= observed.continuous else {
            return wall
        }
        return observed.time + (continuous - observed.continuous)
    }
}
