#!/usr/bin/env bash
# The function under the emulator of cargo-lambda: a key is made and delivered, and the next event finds nothing to do.
set -euo pipefail

type cargo-lambda >/dev/null 2>&1 || { echo 'cargo-lambda is not installed'; exit 127; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# the emulator asks cargo, whose toolchain is in the home of the user who runs this
own_home=$(getent passwd "$(id --user)" | cut --delimiter : --fields 6)
export RUSTUP_HOME=${RUSTUP_HOME:-$own_home/.rustup} CARGO_HOME=${CARGO_HOME:-$own_home/.cargo}
# the emulator must be in a folder of a crate, and compiles nothing of it
mkdir --parents src && echo 'fn main() {}' >src/main.rs
printf '[package]\nname = "function"\nversion = "0.0.0"\nedition = "2024"\n' >Cargo.toml
cat >seskey.toml <<END
[[credential]]
user = "app"
to = ["file:$PWD/app.json?format=json"]
create = true
from = ["*@example.com"]
END

cargo-lambda lambda watch --only-lambda-apis --invoke-address 127.0.0.1 --invoke-port "$port" &
trap 'kill $(jobs -p)' EXIT
for _ in {1..100}; do (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null && break || sleep 0.1; done
export AWS_LAMBDA_RUNTIME_API=http://127.0.0.1:$port/.rt AWS_LAMBDA_FUNCTION_NAME=_ AWS_LAMBDA_FUNCTION_VERSION=1 \
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128
SESKEY_CONFIG=$PWD/seskey.toml "$SESKEY" lambda &

invoke() {
  curl --silent --show-error --fail-with-body --max-time 120 --data '{"apply": {}}' \
    "http://127.0.0.1:$port/2015-03-31/functions/_/invocations"
  echo
}
invoke | tee first.json
[[ $(<first.json) == *'"changed":1'* && -s app.json ]]
invoke | tee second.json
[[ $(<second.json) == *'"changed":0'* && $(<second.json) == *'"failed":0'* ]]
