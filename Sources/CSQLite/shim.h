// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#ifndef LEASEKIT_CSQLITE_SHIM_H
#define LEASEKIT_CSQLITE_SHIM_H

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>
#else
#error "LeaseKitSQLite needs the SQLite headers. Debian, Ubuntu: apt-get install libsqlite3-dev. macOS: brew install sqlite3"
#endif

#if SQLITE_VERSION_NUMBER < 3035000
#error "LeaseKitSQLite needs SQLite 3.35 or later, and these are the headers of an earlier one"
#endif

// Swift sees neither variadic functions nor casts of numbers to pointers.

static inline int leasekit_sqlite3_keep_wal_on_close(sqlite3 *database, int is_kept) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_kept, (int *)0);
}

static inline int leasekit_sqlite3_bind_copy(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// The bytes have to stay where they are until something else is bound.
static inline int leasekit_sqlite3_bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return count > 0 ? sqlite3_bind_blob(statement, index, bytes, count, SQLITE_STATIC) : sqlite3_bind_zeroblob(statement, index, 0);
}

static inline int leasekit_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

#endif
