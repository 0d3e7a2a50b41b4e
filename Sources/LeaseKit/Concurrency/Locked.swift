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

    /// A value behind a lock.
    ///
    /// This variant is built for ThreadSanitizer, which does not see the futex inside Linux's `Mutex` and would report every
    /// access as a race; it does see pthread's.
    ///
    /// Unchecked, because the compiler cannot see the lock: `value` is touched only between lock and unlock, the value
    /// itself may cross threads, and the mutex has an address of its own that never changes.
    package final class Locked<Value: Sendable>: @unchecked Sendable {
        private var value: Value
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        /// Puts a value behind a new lock.
        package init(_ value: Value) {
            self.value = value
            mutex = .allocate(capacity: 1)
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            mutex.deinitialize(count: 1)
            mutex.deallocate()
        }

        /// Runs `body` with the value while nobody else has it.
        package func withLock<Result: Sendable, Failure>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value)
        }
    }
#else
    import Synchronization

    /// A value behind a lock.
    ///
    /// Decisions are made inside; calls to anything foreign are made after the lock is left.
    package final class Locked<Value: Sendable>: Sendable {
        private let mutex: Mutex<Value>

        /// Puts a value behind a new lock.
        package init(_ value: Value) { mutex = Mutex(value) }

        /// Runs `body` with the value while nobody else has it.
        package func withLock<Result: Sendable, Failure>(
            _ body: (inout Value) throws(Failure) -> Result
        ) throws(Failure) -> Result {
            try mutex.withLock { value throws(Failure) in try body(&value) }
        }
    }
#endif
