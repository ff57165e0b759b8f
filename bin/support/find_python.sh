# Sourced by the commands beside this folder. Sets ROOT, VENV and PYTHON (one that can make or already is the
# environment), from any working directory and through links.
here=${BASH_SOURCE[0]}
while [ -L "$here" ]; do
  link=$(readlink "$here")
  case $link in /*) here=$link ;; *) here=$(dirname "$here")/$link ;; esac
done
ROOT=$(cd "$(dirname "$here")/../.." && pwd -P)
VENV=${ATELIER_VENV:-$ROOT/.venv}
case $VENV in /*) ;; *) VENV=$PWD/$VENV ;; esac
export ATELIER_VENV=$VENV

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

PYTHON=
for candidate in "$VENV/bin/python" ${PYTHON3:+"$PYTHON3"} python3 python3.13 python3.12 python3.11 python3.14 python; do
  if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
    PYTHON=$candidate
    break
  fi
done
if [ -z "$PYTHON" ]; then
  echo "Atelier needs Python 3.11 or newer, and found: $(python3 --version 2>&1 || echo 'no python3 at all')." >&2
  echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: PYTHON3=/path/to/python $0" >&2
  exit 1
fi

# prepare base|dev: the environment stands when this returns; progress goes to standard error.
prepare() { "$PYTHON" "$ROOT/bin/support/environment.py" "$1" || exit $?; }
