#!/bin/sh
# Make .venv from the locked, hashed dependencies; does nothing when it is already up to date.
set -eu
cd "$(dirname "$0")/.."
lock=locks/${1:-dev}.txt
venv=${2:-.venv}
stamp=$venv/.installed-from
want=$(sha256sum "$lock" | cut -d' ' -f1)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 \
            && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && { echo "$candidate"; return; }
    done
    echo "Fawen needs Python 3.11 or newer (set PYTHON=... to name one)" >&2
    exit 1
}
python=$(find_python)

# Debian and Ubuntu split venv's pip into a package of its own.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing python3-venv (Debian keeps it apart from Python)"
        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    else
        echo "Python's venv module is incomplete here; run:  sudo apt-get install python3-venv   and try again" >&2
        exit 1
    fi
fi
echo "installing locked dependencies into $venv (once, about a minute)"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
echo "$want" > "$stamp"
