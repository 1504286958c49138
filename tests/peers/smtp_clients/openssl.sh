#!/usr/bin/env bash
# OpenSSL, as AWS shows it: a conversation written in advance is piped through `openssl s_client`
# Source: SES Developer Guide, "Using the command line to send email using the Amazon SES SMTP interface"
set -euo pipefail

declare -A starttls=([starttls]='-starttls smtp' [tls-wrapper]=)

# shellcheck disable=SC2086 # two words, or none
openssl s_client -crlf -quiet ${starttls[$1]} -connect "127.0.0.1:$SMTP_PORT" -servername "$SMTP_HOST" \
  -CAfile "$SESKEY_CA_FILE" -verify_hostname "$SMTP_HOST" -verify_return_error <<EOF | tee replies.txt
EHLO example.com
AUTH LOGIN
$(printf %s "$SMTP_USER_NAME" | base64 --wrap 0)
$(printf %s "$SMTP_PASSWORD" | base64 --wrap 0)
MAIL FROM: $2
RCPT TO: $3
DATA
$(sed 's/^\./../')
.
QUIT
EOF
grep --quiet --extended-regexp '^250 Ok [0-9a-f]+-' replies.txt
