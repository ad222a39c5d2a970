#!/usr/bin/env bash
# Runs uv with the given arguments, installing it first when this machine has none.
#
# It goes into a private virtual environment (.tools/), which touches nothing of the user's and
# works where Python is "externally managed"; where the venv module is missing, into the user's
# own packages.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
private="$root/.tools/uv-venv"
wanted="uv>=0.9,<1"

# Prints the path of a uv that runs: a shim on PATH may have nothing behind it.
find_uv() {
  local candidate
  for candidate in "$(type -P uv || true)" "$private/bin/uv" "${HOME:-/}/.local/bin/uv"; do
    if [[ -n $candidate ]] && "$candidate" --version >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  # Where `pip install --user` puts programs on other systems; slow to ask, hence last.
  python3 -c 'import uv; print(uv.find_uv_bin())' 2>/dev/null
}

install_uv() {
  echo "uv is missing: installing it" >&2
  if python3 -m venv --clear "$private" >/dev/null 2>&1 && "$private/bin/python" -m pip install --quiet "$wanted" >&2; then
    return
  fi
  rm -rf "$private"
  python3 -m pip install --quiet --user "$wanted" >&2
}

# Prints the certificates that pip is told to trust: uv does not read pip's settings.
pip_certificates() {
  local file
  if [[ -n ${PIP_CERT:-} ]]; then
    printf '%s\n' "$PIP_CERT"
    return
  fi
  for file in "${PIP_CONFIG_FILE:-}" ~/.config/pip/pip.conf ~/.pip/pip.conf /etc/xdg/pip/pip.conf /etc/pip.conf; do
    if [[ -r $file ]] && grep -qE '^ *cert *=' "$file"; then
      sed -nE 's/^ *cert *= *//p' "$file" | head -n 1
      return
    fi
  done
}

if [[ -z ${SSL_CERT_FILE:-} ]]; then
  certificates="$(pip_certificates)"
  if [[ -r $certificates ]]; then
    export SSL_CERT_FILE="$certificates"
  fi
fi

if ! uv="$(find_uv)"; then
  install_uv
  if ! uv="$(find_uv)"; then
    echo "uv could not be installed: install it yourself (it needs Python's venv or pip module) and try again" >&2
    exit 1
  fi
fi
exec "$uv" "$@"
