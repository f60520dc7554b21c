#!/bin/sh
# Creates .venv with a Python that fits, unless one is there. First argument: the Python to use (optional).
set -u
FITS='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
fits() { "$1" -c "$FITS" >/dev/null 2>&1; }

for existing in .venv/bin/python .venv/Scripts/python.exe; do
    if fits "$existing"; then exit 0; fi
done

if [ -n "${1:-}" ]; then
    candidates=$1
else
    candidates="python3 python3.13 python3.12 python3.11 python"
fi
for candidate in $candidates; do
    if fits "$candidate"; then
        if ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$candidate has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv) and run make again." >&2
            exit 1
        fi
        echo "Creating .venv with $("$candidate" -V 2>&1) ..."
        exec "$candidate" -m venv --clear .venv
    fi
done
echo "This book needs Python 3.11, 3.12 or 3.13, and '$candidates' is none of these: install one, or name it with make PYTHON=/path/to/python." >&2
exit 1
