#!/usr/bin/env bash
# curl, which sends a message like a file
set -euo pipefail

declare -A scheme=([starttls]=smtp [tls-wrapper]=smtps)

# the password stays out of the arguments
curl --config <(echo "user = $SMTP_USER_NAME:$SMTP_PASSWORD") --verbose --silent --ssl-reqd --cacert "$SESKEY_CA_FILE" \
  "${scheme[$1]}://$SMTP_HOST:$SMTP_PORT" --connect-to "::127.0.0.1:$SMTP_PORT" \
  --mail-from "$2" --mail-rcpt "$3" --crlf --upload-file -
