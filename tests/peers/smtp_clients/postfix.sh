#!/usr/bin/env bash
# Postfix as a relay: an instance of its own, with its own queue, that listens to nothing; only root can start it
set -euo pipefail

type -P postfix >/dev/null || { echo "Postfix is not installed"; exit 127; }
[[ $(id -u) == 0 ]] || { echo "Postfix, for users other than root, is not installed"; exit 127; }

declare -A wrapper=([starttls]=no [tls-wrapper]=yes)
chmod 711 .
rm --recursive --force config queue data
mkdir config queue
install --directory --owner postfix data
cat >config/main.cf <<EOF
compatibility_level = 3.6
queue_directory = $PWD/queue
data_directory = $PWD/data
maillog_file = /dev/stdout
myhostname = relay.example.com
mydestination =
relayhost = [127.0.0.1]:$SMTP_PORT
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:$PWD/config/sasl_passwd
smtp_sasl_tls_security_options = noanonymous
smtp_tls_wrappermode = ${wrapper[$1]}
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = $SMTP_HOST
smtp_tls_servername = $SMTP_HOST
smtp_tls_CAfile = $SESKEY_CA_FILE
EOF
cat >config/master.cf <<EOF
postlog unix-dgram n - n - 1 postlogd
pickup  unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
tlsmgr  unix - - n - 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
smtp    unix - - n - - smtp
EOF
echo "[127.0.0.1]:$SMTP_PORT $SMTP_USER_NAME:$SMTP_PASSWORD" >config/sasl_passwd
chmod 600 config/sasl_passwd

touch --date '1 hour ago' config/*  # Postfix waits until its files are two seconds old

: >log
postfix -c "$PWD/config" start-fg &>>log &
# faster than `postfix stop`, which looks once a second
trap 'read -r master <queue/pid/master.pid; kill "$master"; wait' EXIT

# logged TEXT: waits for it, a minute at most.
logged() { timeout 60 sh -c 'until grep --quiet "$1" log; do sleep 0.05; done' - "$1" || { cat log; exit 1; }; }

logged ' daemon started '
sendmail -C "$PWD/config" -f "$2" -- "$3"
logged ' status='
cat log
grep --quiet ' status=sent ' log
