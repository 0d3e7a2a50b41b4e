// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

let start = LeaseInstant(secondsSinceEpoch: 0)
print("A lease of one hour runs for \(start.duration(to: start + .seconds(3600))).")
