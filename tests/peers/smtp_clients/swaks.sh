#!/usr/bin/env bash
# swaks, the Swiss army knife for SMTP; it checks the issuer of a certificate, not the name
#   swaks.sh AUTH-MECHANISM
set -euo pipefail

declare -A tls=([starttls]=--tls [tls-wrapper]=--tls-on-connect)
# the password stays out of the arguments
export SWAKS_OPT_auth_password=$SMTP_PASSWORD

swaks --server 127.0.0.1 --port "$SMTP_PORT" "${tls[$2]}" --tls-sni "$SMTP_HOST" --tls-verify \
  --tls-ca-path "$SESKEY_CA_FILE" --auth "$1" --auth-user "$SMTP_USER_NAME" --from "$3" --to "$4" --data -
