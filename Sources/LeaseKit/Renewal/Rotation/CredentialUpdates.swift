// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The generations of a ``RotatingCredential``, as they come: the one that is current first, and of several in between only
/// the latest.
///
/// Ends when the credential is closed or the reading task is cancelled.
public struct CredentialUpdates<Secret: Sendable>: AsyncSequence, Sendable {
    /// What the sequence yields.
    public typealias Element = VersionedSecret<Secret>

    let core: RotationCore

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: UpdateReader(core)) }

    /// Reads generations one by one.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let reader: UpdateReader

        /// The next generation; nil at the end.
        public mutating func next() async -> VersionedSecret<Secret>? {
            guard let held = await reader.next() as? HeldSecret<Secret> else { return nil }
            return VersionedSecret(held)
        }
    }
}

/// One reader of generations, known to the core as long as it lives.
final class UpdateReader: Sendable {
    private let core: RotationCore
    private let alarm = Alarm()
    private let number: UInt64
    private let seen = Locked<UInt64>(0)
    private let isReading = Locked(false)

    init(_ core: RotationCore) {
        self.core = core
        number = core.add(alarm)
    }

    deinit { core.removeReader(number) }

    func next() async -> HeldCredential? {
        // One at a time, as with every iterator: a second reader would take the first one's place, who would wait for ever.
        let isFirst = isReading.withLock { isReading in
            defer { isReading = true }
            return !isReading
        }
        guard isFirst else { return nil }
        defer { isReading.withLock { $0 = false } }
        while !Task.isCancelled {
            if let held = core.current, held.number > seen.withLock({ $0 }) {
                seen.withLock { $0 = held.number }
                return held
            }
            if core.isOver { return nil }
            await alarm.waitForRing()
        }
        return nil
    }
}
