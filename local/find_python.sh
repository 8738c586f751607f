#!/bin/sh
# Prints the path of a *working* Python 3.13: on PATH, in pyenv's versions, or managed by uv.
# A pyenv shim named python3.13 that only prints an error is not one, so each is run before it is named.
# --explain says what to install, for the case that there is none.
if [ "$1" = "--explain" ]; then
  cat >&2 <<'TXT'
Python 3.13 が見つかりません。次のどれかを入れてから、もう一度 make してください。
No working Python 3.13 was found. Install one of these and run make again:
  pyenv install 3.13          (https://github.com/pyenv/pyenv)
  uv python install 3.13      (https://docs.astral.sh/uv/)
  apt-get install python3.13 python3.13-venv   (Debian 13 or newer)
or name one yourself:  make PYTHON=/path/to/python3.13 …
TXT
  exit 0
fi
works() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1
}
uv_python=$(command -v uv >/dev/null 2>&1 && uv python find --offline --no-project 3.13 2>/dev/null)
for candidate in \
  "$(command -v python3.13)" \
  "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python \
  "$uv_python" \
  "$(command -v python3)"; do
  [ -n "$candidate" ] && works "$candidate" && { echo "$candidate"; exit 0; }
done
exit 0
