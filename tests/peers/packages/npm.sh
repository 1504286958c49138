#!/usr/bin/env bash
# The package of npm, installed from its file, with a test suite that runs inside a local SES.
set -euo pipefail
. "$(dirname "$0")/made.sh"
needs npm npx

npm init --yes >/dev/null
npm install --offline --no-audit --no-fund "$packages"/*.tgz
npm pkg set scripts.test='node --eval "console.log(process.env.SMTP_URL, process.env.AWS_ENDPOINT_URL)"'
npx seskey local -- npm test | tee said
grep --extended-regexp '^smtp://AKIA.*@127.0.0.1:[0-9]+ http://127.0.0.1:[0-9]+$' said
npm uninstall --offline --no-audit --no-fund seskey
[[ ! -e node_modules/seskey ]]
