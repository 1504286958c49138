#!/usr/bin/env bash
# mutt, with the TLS of GnuTLS; its server name in TLS is the host that it connects to, and it logs the server's replies
set -euo pipefail

type -P mutt >/dev/null || { echo "mutt is not installed"; exit 127; }

declare -A scheme=([starttls]=smtp [tls-wrapper]=smtps)
cat >muttrc <<'EOF'
set smtp_pass="`printenv SMTP_PASSWORD`" smtp_authenticators=plain
set ssl_force_tls ssl_ca_certificates_file="$SESKEY_CA_FILE"
set use_envelope_from copy=no
EOF
cat >>muttrc <<EOF
set smtp_url="${scheme[$1]}://$SMTP_USER_NAME@$SMTP_HOST:$SMTP_PORT/" envelope_from_address=$2
EOF

echo "127.0.0.1 $SMTP_HOST" >hosts
LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS=hosts mutt -n -F muttrc -d 2 -H - -- "$3" ||
  { status=$?; cat ~/.muttdebug0; exit $status; }
