#!/usr/bin/env bash
# seskey itself, as users run it: only the environment tells it that this is a local SES.
set -euo pipefail

# ends STATUS TEXT COMMAND...: the command ends with that status and says that text.
ends() {
  local status=0 said
  said=$("${@:3}" 2>&1) || status=$?
  [[ $status == "$1" && $said == *"$2"* ]] && return
  echo "not status $1 and \"$2\" but $status of ${*:3}:"
  echo "$said"
  exit 1
}

"$SESKEY" create alice --format env >alice.env
"$SESKEY" create bob --format csv --from news@example.com --region eu-west-1 >bob.csv
"$SESKEY" create carl --format json --tls-wrapper --smtp-endpoint "127.0.0.1:$TLS_WRAPPER_PORT" >carl.json
grep --quiet '^SMTP_PASSWORD=B' alice.env
grep --quiet '^bob,AKIA' bob.csv
grep --quiet '"verified": true' carl.json
ends 1 'the user alice exists' "$SESKEY" create alice

for file in alice.env carl.json; do
  ends 0 '235 Authentication successful.' "$SESKEY" verify --credentials "$file"
  ends 1 '535 Authentication Credentials Invalid' "$SESKEY" verify --credentials "$file" --region eu-west-1
done
ends 0 '235 Authentication successful.' "$SESKEY" verify --credentials bob.csv --region eu-west-1 --from news@example.com
ends 1 'is not allowed ses:SendRawEmail from other@example.com' \
  "$SESKEY" verify --credentials bob.csv --region eu-west-1 --from other@example.com
ends 0 '250 Ok ' "$SESKEY" verify --credentials alice.env --from alice@example.com --send
curl --fail --silent --show-error "$AWS_ENDPOINT_URL/_aws/ses" | grep '"Source":"alice@example.com"' >/dev/null

for user in alice bob carl; do
  "$SESKEY" list | grep "^$user " >/dev/null
  "$SESKEY" delete "$user" --yes
  ends 1 "there is no user $user" "$SESKEY" delete "$user" --yes
done
[[ $("$SESKEY" list --json) == '[]' ]]
ends 1 '535 Authentication Credentials Invalid' "$SESKEY" verify --credentials alice.env
