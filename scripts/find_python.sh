#!/usr/bin/env bash
# Prints the interpreter to build for: $1 where given, else the newest usable of 3.15 … 3.11 on PATH.
# Usable: it runs (a shim may not), it can make a virtual environment, and it has headers.
set -u
usable() {
  "$1" - <<'PY' 2>/dev/null
import ensurepip, os, sys, sysconfig, venv
assert (3, 11) <= sys.version_info[:2] <= (3, 15)
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
PY
}
for candidate in ${1:+"$1"} $([ -n "${1:-}" ] || echo python3.15 python3.14 python3.13 python3.12 python3.11 python3); do
  if command -v "$candidate" >/dev/null && usable "$candidate"; then
    "$candidate" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done
echo "No usable Python: need 3.11 to 3.15 with venv and headers (on Debian: apt-get install python3-dev python3-venv), or PYTHON=/path/to/python." >&2
exit 1
