#!/usr/bin/env bash
# Prints the interpreter to build for: $1 where given, else the newest usable of 3.15 … 3.11 on PATH.
# Usable: it runs (a shim may not), it can make a virtual environment, and it has headers.
#   --all [PYTHON]   prints the newest usable of each release instead, those of pyenv included; only PYTHON where given
set -u
describe() {
  "$1" - <<'PY' 2>/dev/null
import ensurepip, os, sys, sysconfig, venv
assert (3, 11) <= sys.version_info[:2] <= (3, 15)
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
print("%d.%d" % sys.version_info[:2], sys.executable)
PY
}
all=
if [ "${1:-}" = --all ]; then all=1; shift; fi
names=(python3.15 python3.14 python3.13 python3.12 python3.11 python3)
if [ -n "$all" ]; then
  names+=($(ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3 2>/dev/null | sort -rV))
fi
seen=" "
for candidate in ${1:+"$1"} $([ -n "${1:-}" ] || echo "${names[@]}"); do
  command -v "$candidate" >/dev/null || continue
  read -r release program < <(describe "$candidate") || continue
  [[ $seen != *" $release "* ]] || continue
  echo "$program"
  [ -n "$all" ] || exit 0
  seen+="$release "
done
[ "$seen" = " " ] || exit 0
echo "No usable Python: need 3.11 to 3.15 with venv and headers (on Debian: apt-get install python3-dev python3-venv), or PYTHON=/path/to/python." >&2
exit 1
