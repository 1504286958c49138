#!/usr/bin/env bash
# Haraka that discards, configured in $WORK: STARTTLS at $SMTP_PORT, the TLS wrapper at $SMTPS_PORT.
set -euo pipefail

haraka=$(type -P haraka) || { echo 'no haraka in PATH' >&2; exit 127; }
"$haraka" -i "$WORK" >/dev/null
cd "$WORK/config"
# it would make its own, which takes long
openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dhparams.pem
cat >smtp.ini <<END
listen=127.0.0.1:$SMTP_PORT,127.0.0.1:$SMTPS_PORT
smtps_port=$SMTPS_PORT
END
cat >tls.ini <<END
cert=$TLS_CERTIFICATE
key=$TLS_KEY
END
cat >auth_flat_file.ini <<END
[core]
methods=PLAIN
[users]
$SMTP_USER_NAME=$SMTP_PASSWORD
END
printf '%s\n' tls auth/flat_file queue/discard >plugins
echo localhost >me
echo ERROR >loglevel
# unless this is set it discards only what it was told to refuse
export YES_REALLY_DO_DISCARD=1
exec "$haraka" -c "$WORK"
