# shellcheck shell=bash
# What the scripts of this repository need on a machine, and how it gets there. Sourced by Tests/run, Examples/run and .ci/run.
#
# Written for the bash 3.2 that macOS ships. The macOS side is untested.

minimum_swift=6.2

# Everything but Swift itself, one line each:
#
#   need SCOPE APT BREW WHY
#
#   SCOPE  build: to compile the package; test: only to run its tests
#   APT    the package of Debian and Ubuntu, or - for none
#   BREW   the formula of Homebrew, or - for none
#   WHY    ends the sentence "Installing APT: …"
list_requirements() {
    need build libssl-dev - "the keeper of secrets, LeaseKitKeeper, encrypts with OpenSSL's libcrypto (on Apple's platforms with CryptoKit)."
    need build libpq-dev libpq "the backend for PostgreSQL, LeaseKitPostgres, talks to its servers through libpq."
    need test postgresql postgresql@15 "the tests of LeaseKitPostgres start servers of their own, in temporary folders."
    need test openssl - "a server of theirs has a certificate."
    need test python3-venv - "PostgreSQL 16 for them comes from Python's package index."
    need build libsqlite3-dev sqlite3 "the durable store, LeaseKitSQLite, stands on the system's SQLite."
    need test python3-venv - "the tests of LeaseKitAWS hold it against botocore and moto, in a Python environment below .build."
}

# Checks for Swift and installs what is missing of the rest. Argument: build or test (which includes build).
ensure_requirements() {
    wanted_scope=$1
    missing=()
    check_swift || return
    list_requirements
    if [ ${#missing[@]} -gt 0 ]; then
        install_missing || return
    fi
    if [ "$wanted_scope" = test ]; then
        unpack_postgres_16 || return
    fi
}

# A second server for the tests, since the rights of roles changed with 16: the binaries in a wheel of Python's package index,
# for whichever version of Python it was made. They are unpacked, not installed.
unpack_postgres_16() {
    local home="$root/.build/postgres-16" wheel=pgserver==0.1.4 temporary
    [ ! -f "$home/complete" ] || return 0
    echo "Unpacking PostgreSQL 16 for the tests of LeaseKitPostgres."
    rm -rf "$home"
    temporary="$home.new"
    rm -rf "$temporary"
    mkdir -p "$temporary" || return
    if ! python3 -m venv "$temporary/venv" ||
        ! "$temporary/venv/bin/python" -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
            --python-version 3.11 --dest "$temporary" "$wheel" ||
        ! python3 -m zipfile -e "$temporary"/pgserver-*.whl "$temporary" ||
        ! chmod -R a+rX,u+w "$temporary" || ! chmod a+x "$temporary"/pgserver/pginstall/bin/*; then
        complain "PostgreSQL 16 could not be had: python3 -m pip download $wheel"
        return 1
    fi
    rm -rf "$temporary/venv" "$temporary"/pgserver-*.whl
    touch "$temporary/complete"
    mv "$temporary" "$home"
}

check_swift() {
    local how="See https://www.swift.org/install for how to get it; then make sure that 'swift' is in your PATH."
    if ! command -v swift >/dev/null 2>&1; then
        complain "Swift is not installed, or not in your PATH. LeaseKit needs Swift $minimum_swift or later. $how"
        return 1
    fi
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
    if [ -z "$version" ]; then
        complain "'swift --version' does not say which version it is. LeaseKit needs Swift $minimum_swift or later. $how"
        return 1
    fi
    if [ "${version%%.*}" -lt "${minimum_swift%%.*}" ] ||
        { [ "${version%%.*}" -eq "${minimum_swift%%.*}" ] && [ "${version#*.}" -lt "${minimum_swift#*.}" ]; }; then
        complain "This is Swift $version, and LeaseKit needs $minimum_swift or later. $how"
        return 1
    fi
}

need() {
    local scope=$1 apt=$2 brew=$3 why=$4
    if [ "$scope" = test ] && [ "$wanted_scope" != test ]; then
        return
    fi
    if [ "$(uname)" = Darwin ]; then
        [ "$brew" = - ] || has_formula "$brew" || add_missing "$brew" "$why"
    else
        [ "$apt" = - ] || has_package "$apt" || add_missing "$apt" "$why"
    fi
}

add_missing() {
    missing+=("$1")
    echo "Installing $1: $2"
}

has_package() {
    # Elsewhere than on Debian and its relatives nobody can say; the build then shows what is missing.
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "Assuming that what Debian calls $1 is installed."
        return 0
    fi
    # shellcheck disable=SC2016  # dpkg-query expands this, not the shell
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

has_formula() {
    command -v brew >/dev/null 2>&1 && brew list --versions "$1" >/dev/null 2>&1
}

install_missing() {
    if [ "$(uname)" = Darwin ]; then
        if ! command -v brew >/dev/null 2>&1; then
            complain "Homebrew is not installed (https://brew.sh). Please install by hand: ${missing[*]}"
            return 1
        fi
        brew install "${missing[@]}" && return
        complain "Homebrew could not install: ${missing[*]}"
        return 1
    fi

    local by_hand="Please run: apt-get install ${missing[*]}"
    if ! command -v apt-get >/dev/null 2>&1; then
        complain "There is no apt-get here. $by_hand"
        return 1
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            complain "Installing needs root, and there is no sudo here. $by_hand"
            return 1
        fi
        as_root=(sudo)
        # Without a person to type a password, fail at once and do not wait for one.
        if [ -n "${CI:-}" ] || [ ! -t 0 ]; then
            as_root=(sudo --non-interactive)
        fi
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    if "${as_root[@]}" apt-get update --quiet=2 >/dev/null &&
        "${as_root[@]}" apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" </dev/null >/dev/null; then
        return
    fi
    complain "apt-get could not install everything. $by_hand"
    return 1
}

# A Python environment below .build with what a file of requirements names; made anew when the file changes.
ensure_python_tools() {
    local wanted=$1 place="$root/.build/python-tools"
    if cmp -s "$wanted" "$place/requirements.txt"; then
        return
    fi
    # Examples come here without the rest of what the tests need.
    wanted_scope=test
    missing=()
    need test python3-venv - "botocore and moto live in a Python environment below .build."
    [ ${#missing[@]} -eq 0 ] || install_missing || return
    if ! command -v python3 >/dev/null 2>&1; then
        complain "There is no python3, which the tests of LeaseKitAWS need."
        return 1
    fi
    echo "Setting up Python tools in .build/python-tools: LeaseKitAWS is held against them."
    rm -rf "$place"
    if ! python3 -m venv "$place" ||
        ! "$place/bin/python3" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"; then
        rm -rf "$place"
        complain "The Python tools could not be installed. Please check that python3 -m venv works, and the way to the package index."
        return 1
    fi
    cp "$wanted" "$place/requirements.txt"
}

complain() {
    echo "error: $1" >&2
}

# The time that SECONDS counts, as people write it: 7 s, 3 min 07 s.
in_words() {
    if [ "$1" -lt 60 ]; then
        echo "$1 s"
    else
        printf '%d min %02d s\n' $(($1 / 60)) $(($1 % 60))
    fi
}
