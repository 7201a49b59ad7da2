#!/bin/sh
# Makes .venv with the first Python here that will do. Says what to install where there is none.
set -eu

if [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    exit 0
fi

new_enough='' # a Python ≥ 3.11 that can't make virtual environments with pip
for candidate in ${OMNI_PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        echo "Making .venv with $("$candidate" --version) ..."
        rm -rf .venv
        exec "$candidate" -m venv .venv
    fi
    new_enough=$candidate
done

if [ -n "$new_enough" ]; then
    echo "$new_enough is new enough but can't make a virtual environment: its modules venv and ensurepip are missing." >&2
    echo "On Debian and Ubuntu: apt-get install $("$new_enough" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')" >&2
else
    echo "OMNI needs Python 3.11 or newer; looked for python3.13, python3.12, python3.11 and python3." >&2
    echo "Another one can be named: make demo OMNI_PYTHON=/path/to/python" >&2
fi
exit 1
