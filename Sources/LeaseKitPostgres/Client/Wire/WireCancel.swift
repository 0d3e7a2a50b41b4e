// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import LeaseKit

/// What cancels the statement that runs on a connection.
///
/// libpq's call for it connects anew and blocks, so it has a thread of its own. Unchecked, because libpq says that this
/// object may be used from any thread; it is used from one at a time.
final class WireCancel: @unchecked Sendable {
    private let cancel: OpaquePointer

    init(_ cancel: OpaquePointer) { self.cancel = cancel }

    deinit { PQfreeCancel(cancel) }

    /// How many threads may be at it: into a vanished network each of them hangs for minutes.
    private static let limit = 8
    private static let running = Locked(0)

    /// Asks the server, without waiting; the statement then answers that it was cancelled, or that it was done.
    func send() {
        let mayRun = Self.running.withLock { running in
            if running >= Self.limit { return false }
            running += 1
            return true
        }
        guard mayRun else { return }
        let isStarted = NativeThread.start {
            var text = [CChar](repeating: 0, count: 256)
            PQcancel(self.cancel, &text, Int32(text.count))
            Self.running.withLock { $0 -= 1 }
        }
        if !isStarted { Self.running.withLock { $0 -= 1 } }
    }
}
