#!/usr/bin/env bash
# maildev, which keeps its newest messages in memory: the TLS wrapper at $SMTPS_PORT. With logins it has no STARTTLS.
set -euo pipefail

maildev=$(type -P maildev) || { echo 'no maildev in PATH' >&2; exit 127; }
exec "$maildev" --silent --disable-web --ip 127.0.0.1 --smtp "$SMTPS_PORT" --max-emails 10000 \
  --incoming-user "$SMTP_USER_NAME" --incoming-pass "$SMTP_PASSWORD" \
  --incoming-secure --incoming-cert "$TLS_CERTIFICATE" --incoming-key "$TLS_KEY"
