#!/usr/bin/env bash
# Postfix that discards what it has queued, with Dovecot for the logins, configured in $WORK: STARTTLS at $SMTP_PORT,
# the TLS wrapper at $SMTPS_PORT. Postfix must be started as root.
set -euo pipefail
PATH=$PATH:/usr/sbin

type -P postfix dovecot >/dev/null || { echo 'no postfix or no dovecot in PATH' >&2; exit 127; }
# its users, who own no part of the way to it, must come in
chmod 755 "$WORK"
mkdir -p "$WORK"/{dovecot,postfix,queue,data}
chown postfix "$WORK/data"

cat >"$WORK/dovecot/dovecot.conf" <<END
base_dir = $WORK/dovecot/run
log_path = /dev/stderr
protocols =
ssl = no
# user names are not put in lower case
auth_username_format = %u
passdb {
  driver = passwd-file
  args = scheme=plain $WORK/dovecot/passwords
}
service auth {
  unix_listener $WORK/dovecot/auth {
    mode = 0666
  }
}
END
echo "$SMTP_USER_NAME:$SMTP_PASSWORD" >"$WORK/dovecot/passwords"

cat >"$WORK/postfix/main.cf" <<END
compatibility_level = 3.6
maillog_file = /dev/stdout
queue_directory = $WORK/queue
data_directory = $WORK/data
inet_interfaces = 127.0.0.1
mydestination =
default_transport = discard
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $WORK/dovecot/auth
smtpd_tls_security_level = may
smtpd_tls_chain_files = $TLS_KEY, $TLS_CERTIFICATE
END
cat >"$WORK/postfix/master.cf" <<END
127.0.0.1:$SMTP_PORT inet n - n - - smtpd
127.0.0.1:$SMTPS_PORT inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
END

# its master is in a session of its own
trap 'kill $(jobs -p) $(<"$WORK/queue/pid/master.pid"); wait' TERM
dovecot -F -c "$WORK/dovecot/dovecot.conf" &
postfix -c "$WORK/postfix" start-fg &
wait
