#!/usr/bin/env bash
# s-nail, the BSD mail, which sends AUTH PLAIN and the response apart; its server name in TLS is the host it connects to
set -euo pipefail

type -P s-nail >/dev/null || { echo "s-nail is not installed"; exit 127; }

declare -A scheme=([starttls]=smtp [tls-wrapper]=smtps)
cat >mailrc <<EOF
set v15-compat sendwait verbose smtp-auth=plain smtp-use-starttls
set mta=${scheme[$1]}://$SMTP_HOST:$SMTP_PORT user=$SMTP_USER_NAME password=$SMTP_PASSWORD
set tls-verify=strict tls-ca-no-defaults tls-ca-file=$SESKEY_CA_FILE
EOF

echo "127.0.0.1 $SMTP_HOST" >hosts
LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS=hosts MAILRC=mailrc s-nail -: u -t -r "$2"
