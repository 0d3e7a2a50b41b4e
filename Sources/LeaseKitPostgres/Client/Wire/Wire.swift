// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One connection of libpq, never blocking, always in pipeline mode once it stands.
///
/// It belongs to one thread, and is closed when it goes.
final class Wire {
    private let connection: OpaquePointer
    /// The statements that the server keeps for this connection.
    var prepared = PreparedStatements()

    private init(_ connection: OpaquePointer) { self.connection = connection }

    deinit { PQfinish(connection) }

    /// Begins to connect; nil when there is no memory for it.
    static func begin(_ parameters: [(String, String)], password: SecretText?) -> Wire? {
        var keywords: [UnsafePointer<CChar>?] = []
        var values: [UnsafePointer<CChar>?] = []
        defer {
            for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) }
        }
        for (keyword, value) in parameters {
            keywords.append(UnsafePointer(strdup(keyword)))
            values.append(UnsafePointer(strdup(value)))
        }
        let copy = password.map { $0.terminatedCopy() }
        defer { copy?.wipeAndFree() }
        if let copy {
            keywords.append(UnsafePointer(strdup("password")))
            // Freed and wiped on its own.
            values.append(nil)
            return keywords.withTerminator { keywords in
                var all = values
                all[all.count - 1] = UnsafePointer(copy.baseAddress)
                return all.withTerminator { begin(keywords, $0) }
            }
        }
        return keywords.withTerminator { keywords in values.withTerminator { begin(keywords, $0) } }
    }

    private static func begin(
        _ keywords: UnsafePointer<UnsafePointer<CChar>?>,
        _ values: UnsafePointer<UnsafePointer<CChar>?>
    ) -> Wire? {
        guard let connection = PQconnectStartParams(keywords, values, 0) else { return nil }
        // Of what a server says at the connect libpq keeps the text alone; so it is the code and nothing else.
        PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE)
        leasekit_pq_ignore_notices(connection)
        return Wire(connection)
    }

    var socket: Int32 { PQsocket(connection) }
    var isBroken: Bool { PQstatus(connection) == CONNECTION_BAD }
    /// Whether no transaction is open.
    var isIdle: Bool { PQtransactionStatus(connection) == PQTRANS_IDLE }
    var isInTransaction: Bool { PQtransactionStatus(connection) == PQTRANS_INTRANS }

    // MARK: - Connecting

    enum Progress { case needsReading, needsWriting, connected, failed }

    func advance() -> Progress {
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_READING: return .needsReading
        case PGRES_POLLING_WRITING: return .needsWriting
        case PGRES_POLLING_OK:
            guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else { return .failed }
            return .connected
        default: return .failed
        }
    }

    /// Why connecting failed.
    var refusal: PostgresError {
        ConnectFailure.error(
            text: String(cString: PQerrorMessage(connection)),
            needsPassword: PQconnectionNeedsPassword(connection) == 1
        )
    }

    // MARK: - Sending

    /// Queues a statement, by its name if the server keeps it; false when the connection is broken.
    func send(_ statement: PostgresStatement, name: String? = nil) -> Bool {
        let copies = statement.parameters.map { $0.flatMap { UnsafePointer(strdup($0)) } }
        defer { for copy in copies { free(UnsafeMutablePointer(mutating: copy)) } }
        let count = Int32(copies.count)
        if let name { return PQsendQueryPrepared(connection, name, count, copies, nil, nil, 0) == 1 }
        return PQsendQueryParams(connection, statement.text, count, nil, copies, nil, nil, 0) == 1
    }

    /// Has the server keep a statement; false when the connection is broken.
    func prepare(_ text: String, as name: String) -> Bool {
        PQsendPrepare(connection, name, text, 0, nil) == 1
    }

    func send(_ text: String) -> Bool { send(PostgresStatement(text)) }

    /// Queues the end of what belongs together.
    func sync() -> Bool { PQpipelineSync(connection) == 1 }

    /// Whether all is sent; nil when the connection is broken.
    func flush() -> Bool? {
        switch PQflush(connection) {
        case 0: true
        case 1: false
        default: nil
        }
    }

    // MARK: - Receiving

    /// Takes in what has arrived; false when the connection is broken.
    func consume() -> Bool { PQconsumeInput(connection) == 1 }

    /// Whether the next answer is not complete yet.
    var isBusy: Bool { PQisBusy(connection) == 1 }

    /// The next answer; nil between the answers of two statements.
    func next() -> WireAnswer? {
        guard let result = PQgetResult(connection) else { return nil }
        defer { PQclear(result) }
        return WireAnswer(result)
    }

    /// What cancels the running statement, from any thread.
    func makeCancel() -> WireCancel? { PQgetCancel(connection).map(WireCancel.init) }
}

extension Array where Element == UnsafePointer<CChar>? {
    /// The array as C has them: with a null at the end.
    fileprivate func withTerminator<R>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R?) -> R? {
        (self + [nil]).withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
    }
}

extension SecretText {
    /// The bytes and a zero; to be wiped and freed.
    fileprivate func terminatedCopy() -> UnsafeMutableBufferPointer<CChar> {
        withBytes { bytes in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
            for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[bytes.count] = 0
            return copy
        }
    }
}

extension UnsafeMutableBufferPointer<CChar> {
    fileprivate func wipeAndFree() {
        if let start = baseAddress {
            #if canImport(Darwin)
                memset_s(start, count, 0, count)
            #else
                explicit_bzero(start, count)
            #endif
        }
        deallocate()
    }
}
