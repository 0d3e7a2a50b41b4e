// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What runs the servers: a shell that stops its server, and removes its folder, when the tests let go of it or die.
///
/// PostgreSQL refuses to run as root, so root becomes `nobody`, who cannot see every folder.
enum ServerScript {
    /// The whole command, for a script and its arguments.
    static func command(_ script: String, _ arguments: [String], asRoot: Bool) -> [String] {
        let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        return (asRoot ? nobody : []) + ["/bin/sh", "-c", "umask 077; cd /; " + script, "sh"] + arguments
    }

    /// Makes a cluster to be copied; arguments: binaries, folder, password.
    static let makeTemplate = """
        printf '%s' "$3" >"$2.password"
        "$1/initdb" -D "$2" -U postgres --auth=scram-sha-256 --pwfile="$2.password" -E UTF8 --locale=C --no-sync             >"$2.log" 2>&1 || { cat "$2.log"; exit 1; }
        rm "$2.password"
        echo ready
        """

    /// Copies a cluster; arguments: template, folder.
    static let copy = """
        cp -R "$1" "$2" && echo ready
        """

    /// Makes a certificate for localhost, which vouches for itself; argument: folder.
    static let certify = """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost             -addext subjectAltName=DNS:localhost -keyout "$1/server.key" -out "$1/server.crt" 2>"$1.log"             || { cat "$1.log"; exit 1; }
        chmod 644 "$1/server.crt"
        echo ready
        """

    /// Runs a server until the input ends, or says how it is to stop; arguments: binaries, folder, options.
    static let run = """
        "$1/pg_ctl" -s -D "$2" -w -t 60 -l "$2/log" -o "$3" start </dev/null >/dev/null 2>&1             || { tail -n 3 "$2/log"; exit 1; }
        echo ready
        if read -r mode; then
            "$1/pg_ctl" -s -D "$2" -m "$mode" stop
        else
            "$1/pg_ctl" -s -D "$2" -m immediate stop
            rm -rf "$(dirname "$2")"
        fi
        """

    /// Removes a folder when the input ends; argument: folder.
    static let keep = """
        echo ready
        read -r mode || rm -rf "$1"
        """
}
