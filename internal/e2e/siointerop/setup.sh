#!/usr/bin/env bash
# Installs what the tests of Socket.IO need beside Go: the packages of node/package-lock.json and of
# old/package-lock.json for Node.js, python-socketio with aiohttp, and Chromium. The old packages are known to be vulnerable:
# that is what they are for, on 127.0.0.1.
set -euo pipefail
cd "$(dirname "$0")"

python=${SIO_PYTHON:-/usr/bin/python3}
complete() {
	command -v node && command -v npm && command -v chromium && "$python" -c 'import aiohttp, socketio'
} >/dev/null 2>&1

# again runs a command that needs the network up to three times.
again() { "$@" || { sleep 5 && "$@"; } || { sleep 20 && "$@"; }; }

apt=(apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300)
if ! complete && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	again "${apt[@]}" update
	again "${apt[@]}" install -y nodejs npm chromium python3-socketio python3-aiohttp
fi
if ! complete; then
	echo "siointerop needs Node.js 18 or newer with npm, Chromium, and Python 3 with socketio and aiohttp: install them and run again" >&2
	exit 1
fi
for folder in node old; do
	(cd "$folder" && again npm ci --no-audit --no-fund --loglevel=error)
done
