#!/usr/bin/env bash
# Installs the newest version of an SDK that its registry has into $HOME, says it, and runs what calls it.
#   newest.sh boto3 | js | ruby
set -euo pipefail

peers=$(realpath "$(dirname "$0")")
cd "$HOME"
missing() { echo "the newest $1 cannot be had"; exit 127; }

case $1 in
  boto3)
    python3 -m venv sdk && sdk/bin/pip install --quiet boto3 2>/dev/null || missing boto3
    sdk/bin/python "$peers/newest_boto3.py"
    ;;
  js)
    clients=(iam ses sesv2 sts)
    npm install --silent --no-audit --no-fund "${clients[@]/#/@aws-sdk/client-}" || missing "AWS SDK for JavaScript"
    npm ls --depth 0 --parseable --long | sed --quiet 's/.*:@aws-sdk/version &/p' | sed 's/version .*:/version /'
    NODE_PATH=$HOME/node_modules node "$peers/newest_js.js"
    ;;
  ruby)
    # Debian is the one registry that is asked, and of its services it has STS
    ruby -e 'require "aws-sdk-core"' 2>/dev/null || missing "AWS SDK for Ruby"
    ruby "$peers/newest_ruby.rb"
    ;;
esac
