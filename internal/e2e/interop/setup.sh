#!/usr/bin/env bash
# Installs what the interop tests need beside Go: Node.js with npm, and the packages of node/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/node"

# again runs a command that needs the network up to three times.
again() { "$@" || { sleep 5 && "$@"; } || { sleep 20 && "$@"; }; }

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		again apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 update
		again apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 install -y nodejs npm
	else
		echo "interop needs Node.js 18 or newer with npm: install them and run again" >&2
		exit 1
	fi
fi
again npm ci --no-audit --no-fund --loglevel=error
