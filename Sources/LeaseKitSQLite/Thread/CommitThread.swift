// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The thread that owns the engine: blocking calls stay on it, and whatever queued up while it was busy shares one commit.
///
/// Unchecked, because the compiler cannot see the lock: `jobs` and `isOver` are touched only between lock and unlock, and the
/// engine only by the thread.
final class CommitThread: @unchecked Sendable {
    private let engine: Engine
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [any Job] = []
    private var isOver = false
    private var isStarted = false

    init(_ engine: Engine) {
        self.engine = engine
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds a job; the thread is started with the first one.
    func enqueue(_ job: any Job) {
        pthread_mutex_lock(mutex)
        if !isStarted { isStarted = start() }
        let isTaken = isStarted
        if isTaken {
            jobs.append(job)
            pthread_cond_signal(condition)
        }
        pthread_mutex_unlock(mutex)
        if !isTaken {
            job.fail(StoreError(.unavailable, "the system has no thread left for the lease database; try again"))
        }
    }

    /// Ends the thread once everything that was queued is done.
    func stop() {
        pthread_mutex_lock(mutex)
        isOver = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    private func start() -> Bool {
        // The thread keeps this object alive until it ends.
        let context = Unmanaged.passRetained(self).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
            let code = pthread_create(&thread, nil, { Self.main($0) }, context)
            if let thread { pthread_detach(thread) }
        #else
            var thread = pthread_t()
            let code = pthread_create(&thread, nil, { $0.flatMap { CommitThread.main($0) } }, context)
            if code == 0 { pthread_detach(thread) }
        #endif
        if code != 0 { Unmanaged<CommitThread>.fromOpaque(context).release() }
        return code == 0
    }

    private static func main(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let thread = Unmanaged<CommitThread>.fromOpaque(context).takeRetainedValue()
        while let jobs = thread.next() { thread.engine.run(jobs) }
        return nil
    }

    /// Everything that is queued; waits while nothing is, and answers nil at the end.
    private func next() -> [any Job]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty && !isOver { pthread_cond_wait(condition, mutex) }
        if jobs.isEmpty { return nil }
        defer { jobs = [] }
        return jobs
    }
}
