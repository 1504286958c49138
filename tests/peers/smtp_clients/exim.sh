#!/usr/bin/env bash
# Exim as a relay, with the TLS of GnuTLS: a queue of its own, and no daemon
# Its server name in TLS is always the host that it connects to. It logs the replies of the server.
set -euo pipefail

exim=$(type -P exim4) || { echo "Exim is not installed"; exit 127; }

declare -A protocol=([starttls]=smtp [tls-wrapper]=smtps)
rm --recursive --force spool
mkdir --mode 777 spool
chmod 711 .
cat >exim.conf <<EOF
exim_path = $exim
spool_directory = $PWD/spool
log_file_path = $PWD/spool/%slog
keep_environment = *
qualify_domain = example.com
begin routers
  ses:
    driver = manualroute
    route_data = $SMTP_HOST byname
    self = send
    transport = ses
begin transports
  ses:
    driver = smtp
    port = $SMTP_PORT
    protocol = ${protocol[$1]}
    hosts_require_tls = *
    hosts_require_auth = *
    tls_sni = $SMTP_HOST
    tls_verify_certificates = $SESKEY_CA_FILE
    tls_verify_hosts = *
begin retry
  * * F,1h,10m
begin authenticators
  plain:
    driver = plaintext
    public_name = PLAIN
    client_send = ^$SMTP_USER_NAME^\${env{SMTP_PASSWORD}}
EOF

echo "127.0.0.1 $SMTP_HOST" >hosts
# the user that Debian's Exim becomes, who may not be root
id=$(id --user)
((id)) || id=65534
printf '%s\n' root:x:0:0::/: "Debian-exim:x:$id:$id::/:" >passwd
printf '%s\n' root:x:0: "Debian-exim:x:$id:" >group
export LD_PRELOAD=libnss_wrapper.so
export NSS_WRAPPER_HOSTS=$PWD/hosts NSS_WRAPPER_PASSWD=$PWD/passwd NSS_WRAPPER_GROUP=$PWD/group
"$exim" -C "$PWD/exim.conf" -oi -odf -f "$2" -- "$3"
cat spool/mainlog
grep --quiet "=>" spool/mainlog
