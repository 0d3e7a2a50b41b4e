// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if LEASEKIT_TSAN
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #else
        import Darwin
    #endif
#else
    import Synchronization
#endif

/// The one lock of LeaseKit: a value that is only reached while the lock is held.
///
/// Held for a few instructions, never across a call out and never across an `await`. Built with `-D LEASEKIT_TSAN` it is a
/// pthread lock, since the thread sanitizer does not see the futex that `Mutex` uses on Linux.
package final class Locked<Value: Sendable>: Sendable {
    #if LEASEKIT_TSAN
        // The value and the lock live in memory of their own that only `withLock` touches, under the lock.
        private nonisolated(unsafe) let value: UnsafeMutablePointer<Value>
        private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>

        package init(_ initial: Value) {
            value = .allocate(capacity: 1)
            value.initialize(to: initial)
            mutex = .allocate(capacity: 1)
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
            value.deinitialize(count: 1)
            value.deallocate()
        }

        package func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    #else
        private let mutex: Mutex<Value>

        package init(_ initial: Value) {
            mutex = Mutex(initial)
        }

        package func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            try mutex.withLock { value throws(Failure) -> Result in try body(&value) }
        }
    #endif
}
