#!/usr/bin/env bash
# msmtp, a sendmail that hands over to one account, with the TLS of GnuTLS
set -euo pipefail

declare -A starttls=([starttls]=on [tls-wrapper]=off)

msmtp --host=127.0.0.1 --port="$SMTP_PORT" --tls=on --tls-starttls="${starttls[$1]}" --tls-host-override="$SMTP_HOST" \
  --tls-trust-file="$SESKEY_CA_FILE" --auth=plain --user="$SMTP_USER_NAME" --passwordeval='printenv SMTP_PASSWORD' \
  --from="$2" -- "$3"
