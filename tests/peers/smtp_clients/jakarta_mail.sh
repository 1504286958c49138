#!/usr/bin/env bash
# Jakarta Mail, built once for all the runs in this directory; its server name in TLS is the host that it connects to
set -euo pipefail

jars=/usr/share/java/jakarta-mail.jar:/usr/share/java/jakarta-activation.jar
[[ -e ${jars%:*} ]] || { echo "Jakarta Mail is not installed"; exit 127; }
[[ -e JakartaMail.class ]] || javac -classpath "$jars" -d . "$(dirname "$0")/JakartaMail.java"
[[ -e ca.p12 ]] || keytool -importcert -noprompt -file "$SESKEY_CA_FILE" -keystore ca.p12 -storepass not-secret 2>/dev/null

echo "127.0.0.1 $SMTP_HOST" >hosts
java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -classpath "$jars:." -Djdk.net.hosts.file=hosts \
  -Djavax.net.ssl.trustStore=ca.p12 -Djavax.net.ssl.trustStorePassword=not-secret JakartaMail "$@"
