// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

// What swift-log and swift-service-lifecycle declare, as far as the samples use it: LeaseKit depends on neither.

struct Logger: Sendable {
    enum Level { case debug, notice, warning, error }
    typealias Message = String
    typealias Metadata = [String: MetadataValue]

    struct MetadataValue: ExpressibleByStringInterpolation, Sendable {
        let text: String
        init(stringLiteral value: String) { text = value }
    }

    func log(level: Level, _ message: @autoclosure () -> Message, metadata: @autoclosure () -> Metadata? = nil) {
        print(level, message(), metadata()?["lease.path"]?.text ?? "")
    }
}

protocol Service: Sendable {
    func run() async throws
}

func cancelWhenGracefulShutdown<T: Sendable>(_ operation: @Sendable @escaping () async throws -> T) async rethrows -> T
{
    try await operation()
}

// sample: log-observer
struct LogObserver: LeaseObserver {
    let logger: Logger

    func observe(_ event: LeaseEvent) {
        let level: Logger.Level =
            switch event.kind {
            case .revocationStuck, .quarantined, .targetMismatch, .heldOff: .error
            case .targetDown, .revocationFailed, .issueFailed, .renewalFailed, .storeTrouble: .warning
            case .started, .stopped, .targetUp, .orderPlaced, .orderCompleted: .notice
            default: .debug
            }
        logger.log(
            level: level,
            "\(event)",
            metadata: ["lease.event": "\(event.kind)", "lease.path": "\(event.path)"]
        )
    }
}
// end sample

// sample: service
struct LeaseService: Service {
    let manager: LeaseManager

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await manager.run() }
    }
}
// end sample

@Suite struct IntegrationSamples {
    @Test(.timeLimit(.minutes(1))) func adapters() async throws {
        let logger = Logger()
        // sample: observers
        let configuration = LeaseManager.Configuration(observers: [LogObserver(logger: logger)])
        let manager = LeaseManager(store: InMemoryLeaseStore(), configuration: configuration)
        // end sample
        let service = LeaseService(manager: manager)
        async let running: Void = service.run()
        let sessions = try await manager.mountSessions(at: "sessions")
        _ = try await sessions.issue("anna")
        manager.beginShutdown()
        try await running
    }

    @Test(.timeLimit(.minutes(1))) func events() async throws {
        try await withLeaseManager { manager in
            // sample: events
            let events = manager.events(buffer: 1_000)
            let printing = Task {
                for await element in events {
                    if element.droppedBefore > 0 { print("\(element.droppedBefore) events were not read in time") }
                    print(element.event)
                }
            }
            // end sample
            printing.cancel()
            await printing.value
        }
    }

    @Test(.timeLimit(.minutes(1))) func health() async throws {
        try await withLeaseManager { manager in
            _ = try await manager.mountSessions(at: "database")
            // sample: health
            let health = try manager.health(ofMountAt: "database")
            let counts = try await manager.counts()
            let isWell = health.isTargetUp && manager.holdOffReasons.isEmpty && counts[.stuck] == 0
            // end sample
            #expect(isWell)
        }
    }
}
