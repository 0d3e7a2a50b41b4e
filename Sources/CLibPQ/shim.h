// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#ifndef LEASEKIT_CLIBPQ_SHIM_H
#define LEASEKIT_CLIBPQ_SHIM_H

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#elif __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#error "LeaseKitPostgres needs the headers of libpq. Debian, Ubuntu: apt-get install libpq-dev. macOS: brew install libpq"
#endif

#ifndef LIBPQ_HAS_PIPELINING
#error "LeaseKitPostgres needs libpq 14 or later. Debian, Ubuntu: apt-get install libpq-dev. macOS: brew upgrade libpq"
#endif

#if defined(__linux__)
#include <sys/eventfd.h>

// Swift's module of the C library leaves this header out.
static inline int leasekit_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}
#endif

// Swift sees no characters as numbers of C's int: the fields of an error.

static inline const char *leasekit_pq_sqlstate(const PGresult *result) {
    return PQresultErrorField(result, PG_DIAG_SQLSTATE);
}

static inline const char *leasekit_pq_severity(const PGresult *result) {
    return PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
}

static inline const char *leasekit_pq_message(const PGresult *result) {
    return PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
}

static inline const char *leasekit_pq_detail(const PGresult *result) {
    return PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
}

// Notices may repeat what a statement says: nobody gets to see them.

static inline void leasekit_pq_ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

static inline void leasekit_pq_ignore_notices(PGconn *connection) {
    PQsetNoticeReceiver(connection, leasekit_pq_ignore_notice, (void *)0);
}

#endif
