#!/usr/bin/env bash
# What make check-book needs beyond the tests: Debian's Chromium (where it is missing), Playwright without a browser of its own,
# and axe-core, the accessibility rules, by its exact version and checksum.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v chromium chromium-browser google-chrome >/dev/null; then
  command -v apt-get >/dev/null || { echo "make check-book needs Chromium: install it and put 'chromium' on the PATH" >&2; exit 1; }
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu >/dev/null
fi

.venv/bin/python -c 'import playwright' 2>/dev/null ||
  PIP_CONSTRAINT=constraints.txt PIP_USER=0 .venv/bin/python -m pip --disable-pip-version-check install --quiet -e '.[browser]'

.venv/bin/python -m tests.browser.axe
