#!/usr/bin/env bash
# The .deb and the .rpm, judged by lintian and installed, used and removed in a fresh Debian each.
set -euo pipefail
. "$(dirname "$0")/made.sh"
needs lintian mmdebstrap rpm systemd-analyze

lintian --fail-on error,warning "$packages"/*.deb
rpm --query --list --package "$packages"/*.rpm
for package in "$packages"/*.{deb,rpm}; do
  # Neither the root directory nor anything mounted in it is left.
  mmdebstrap --quiet --mode=root --variant=essential --include=systemd --format=null \
    --customize-hook="'$here/in_root.sh' \"\$1\" '$package'" bookworm /dev/null
done
