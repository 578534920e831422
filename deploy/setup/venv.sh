#!/bin/sh
# Make .venv and install one requirements file into it: deploy/setup/venv.sh requirements.txt
# What the system lacks for it is installed by apt when root, and named when not.
set -eu
requirements=$1
venv=.venv

say() { printf '%s\n' "$*" >&2; }

# install_packages NAME...: by apt when root; otherwise say what to type, and stop
install_packages() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing by apt: $*"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
        return
    fi
    say "The system lacks: $*"
    say "Install it and run the same command again. On Debian and Ubuntu: sudo apt-get install -y $*"
    say "On macOS: brew install python@3.12 mysql-client pkg-config"
    exit 1
}

find_python() {
    for name in ${PYTHON_BIN:-python3.11 python3.12 python3.13 python3}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

asks() { "$python" -c "$1" >/dev/null 2>&1; }

python=$(find_python)
if [ -z "$python" ]; then
    install_packages python3 python3-venv python3-dev
    python=$(find_python)
    [ -n "$python" ] || { say "Python 3.11 or newer is needed; this system's newest is older."; exit 1; }
fi

if [ ! -x $venv/bin/python ] || ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    asks 'import venv, ensurepip' || install_packages "$version-venv"
    "$python" -m venv --clear $venv
fi
python=$venv/bin/python

# mysqlclient comes as source: its build needs a compiler, headers and the client library
if ! asks 'import MySQLdb'; then
    missing=
    command -v cc >/dev/null || missing="$missing gcc libc6-dev"
    command -v pkg-config >/dev/null || missing="$missing pkg-config"
    pkg-config --exists mysqlclient 2>/dev/null || pkg-config --exists libmariadb 2>/dev/null ||
        missing="$missing default-libmysqlclient-dev"
    asks 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
        missing="$missing $($python -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])')"
    # shellcheck disable=SC2086  # a list of names
    [ -z "$missing" ] || install_packages $missing
fi

$python -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
