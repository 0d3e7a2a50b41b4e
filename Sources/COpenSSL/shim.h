// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#ifndef LEASEKIT_COPENSSL_SHIM_H
#define LEASEKIT_COPENSSL_SHIM_H

#if __has_include(<openssl/evp.h>)
#include <openssl/evp.h>
#include <openssl/hmac.h>
#else
#error "LeaseKit needs the headers of OpenSSL. Debian, Ubuntu: apt-get install libssl-dev. macOS: brew install openssl@3"
#endif

#endif
