#!/usr/bin/env bash
# Go's net/smtp, built once for all the runs in this directory
set -euo pipefail

[[ -x net_smtp ]] || go build -o net_smtp "$(dirname "$0")/net_smtp.go"
./net_smtp "$@"
