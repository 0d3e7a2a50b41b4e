// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// One answer of the server.
enum WireAnswer {
    /// A statement was carried out. The tag is what the server calls it, such as `CREATE ROLE`.
    case done(PostgresResult, tag: String)
    /// A statement failed; without a code the connection did.
    case failed(SQLState?, text: String?, detail: String?)
    /// An earlier one of the same group failed.
    case skipped
    /// The end of what belongs together.
    case sync
    /// Something that is no statement's answer here, such as the beginning of a copy.
    case unsupported

    init(_ result: OpaquePointer) {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            self = .done(PostgresResult(reading: result), tag: String(cString: PQcmdStatus(result)))
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE:
            self = .failed(
                leasekit_pq_sqlstate(result).map { SQLState(String(cString: $0)) },
                text: leasekit_pq_message(result).map { String(cString: $0) },
                detail: leasekit_pq_detail(result).map { String(cString: $0) }
            )
        case PGRES_PIPELINE_ABORTED: self = .skipped
        case PGRES_PIPELINE_SYNC: self = .sync
        default: self = .unsupported
        }
    }
}

extension PostgresResult {
    fileprivate init(reading result: OpaquePointer) {
        let width = PQnfields(result)
        let height = PQntuples(result)
        self.init(
            columns: (0..<width).map { String(cString: PQfname(result, $0)) },
            rows: (0..<height).map { row in
                (0..<width).map { column in
                    guard PQgetisnull(result, row, column) == 0 else { return nil }
                    let bytes = UnsafeRawBufferPointer(
                        start: PQgetvalue(result, row, column),
                        count: Int(PQgetlength(result, row, column))
                    )
                    return String(decoding: bytes, as: UTF8.self)
                }
            },
            affected: Int(String(cString: PQcmdTuples(result))) ?? 0
        )
    }
}
