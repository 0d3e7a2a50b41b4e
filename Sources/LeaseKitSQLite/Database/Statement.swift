// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// One prepared statement.
///
/// Ends when it goes.
///
/// Values are bound by number from 1, columns read by number from 0.
struct Statement: ~Copyable {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { sqlite3_finalize(handle) }

    // MARK: - Running

    /// Goes to the next row; false at the end, and the statement can then be run again.
    borrowing func next(_ action: String) throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        sqlite3_reset(handle)
        if code == SQLITE_DONE { return false }
        throw SQLiteFailure(code: code, action: action)
    }

    /// Runs a statement that answers nothing.
    borrowing func run(_ action: String) throws(SQLiteFailure) { _ = try next(action) }

    /// Runs a statement that answers nothing, with bytes that are not copied for it.
    borrowing func run(_ action: String, _ bytes: [UInt8], at index: Int32) throws(SQLiteFailure) {
        let code = bytes.withUnsafeBytes { bytes in
            leasekit_sqlite3_bind_bytes(handle, index, bytes.baseAddress, Int32(clamping: bytes.count))
            let code = sqlite3_step(handle)
            sqlite3_reset(handle)
            sqlite3_bind_null(handle, index)
            return code
        }
        if code != SQLITE_DONE { throw SQLiteFailure(code: code, action: action) }
    }

    /// Ends a reading before its end.
    borrowing func reset() { sqlite3_reset(handle) }

    // MARK: - Binding

    @inline(__always)
    borrowing func bind(_ index: Int32, _ number: Int64) { sqlite3_bind_int64(handle, index, number) }

    borrowing func bind(_ index: Int32, _ number: UInt64) { bind(index, Int64(bitPattern: number)) }

    borrowing func bind(_ index: Int32, _ number: Int) { bind(index, Int64(number)) }

    borrowing func bind(_ index: Int32, _ number: UInt32) { bind(index, Int64(number)) }

    borrowing func bind(_ index: Int32, _ flag: Bool) { bind(index, Int64(flag ? 1 : 0)) }

    borrowing func bind(_ index: Int32, optional number: Int64?) {
        if let number { bind(index, number) } else { bindNull(index) }
    }

    borrowing func bindNull(_ index: Int32) { sqlite3_bind_null(handle, index) }

    borrowing func bind(_ index: Int32, _ bytes: [UInt8]) {
        // An empty blob needs an address, or SQLite takes it for NULL.
        if bytes.isEmpty {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            _ = bytes.withUnsafeBytes {
                leasekit_sqlite3_bind_copy(handle, index, $0.baseAddress, Int32(clamping: $0.count))
            }
        }
    }

    borrowing func bind(_ index: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                // An empty text may come without an address.
                _ = leasekit_sqlite3_bind_text_copy(
                    handle,
                    index,
                    $0.baseAddress ?? Self.empty,
                    Int32(clamping: $0.count)
                )
            }
        }
    }

    borrowing func bind(_ index: Int32, optional text: String?) {
        if let text { bind(index, text) } else { bindNull(index) }
    }

    borrowing func bind(_ index: Int32, _ id: LeaseID) {
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) {
            _ = leasekit_sqlite3_bind_copy(handle, index, $0.baseAddress, 16)
        }
    }

    borrowing func bind(_ index: Int32, optional id: LeaseID?) {
        if let id { bind(index, id) } else { bindNull(index) }
    }

    // Written never and read never: it only has an address. It is one byte for the whole program.
    nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()

    // MARK: - Reading

    @inline(__always)
    borrowing func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// A number that something is added to: within bounds also where a damaged one stands, so that it does not overflow.
    borrowing func count(_ column: Int32) -> Int {
        Int(min(max(integer(column), -Self.largestCount), Self.largestCount))
    }

    /// More than anything in a table can be counted to.
    static let largestCount: Int64 = 1 << 48

    borrowing func flag(_ column: Int32) -> Bool { integer(column) != 0 }

    borrowing func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    borrowing func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    borrowing func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    borrowing func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    borrowing func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// A lease's id; nil when the column holds anything else.
    borrowing func leaseID(_ column: Int32) -> LeaseID? {
        guard let start = sqlite3_column_blob(handle, column), sqlite3_column_bytes(handle, column) == 16 else {
            return nil
        }
        let raw = UnsafeRawPointer(start)
        return LeaseID(
            high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }
}
