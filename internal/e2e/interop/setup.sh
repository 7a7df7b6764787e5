#!/usr/bin/env bash
# Installs what the interop tests need beside Go: Node.js with npm, and the packages of node/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/node"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update -qq
		apt-get install -y -qq nodejs npm
	else
		echo "interop needs Node.js 18 or newer with npm: install them and run again" >&2
		exit 1
	fi
fi
npm ci --no-audit --no-fund --loglevel=error
