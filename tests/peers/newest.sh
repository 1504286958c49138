#!/usr/bin/env bash
# Runs the calls of the newest version of an SDK in its registry, and prints the version. For JavaScript,
# tests/peers/install has installed it.
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
    newest=$(dirname "$NODE_PATH")/newest
    [[ -d $newest/node_modules/@aws-sdk ]] || missing "AWS SDK for JavaScript"
    npm ls --prefix "$newest" --depth 0 --parseable --long | sed --quiet 's/.*:@aws-sdk/version &/p' | sed 's/version .*:/version /'
    NODE_PATH=$newest/node_modules node "$peers/newest_js.js"
    ;;
  ruby)
    # Debian is the only registry that is asked, and its SDK has STS alone
    ruby -e 'require "aws-sdk-core"' 2>/dev/null || missing "AWS SDK for Ruby"
    ruby "$peers/newest_ruby.rb"
    ;;
esac
