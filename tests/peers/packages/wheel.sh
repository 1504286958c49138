#!/usr/bin/env bash
# The wheel, installed from its file by pip, and run by pipx and by uvx; the SBOM in it is valid.
set -euo pipefail
. "$(dirname "$0")/made.sh"
needs pipx python3 twine uvx
python3 -c 'import cyclonedx' || absent "cyclonedx-python-lib is not installed"
wheel=$(echo "$packages"/*.whl)

twine check --strict "$wheel"
python3 -m venv venv
venv/bin/pip install --quiet --no-index "$wheel"
venv/bin/seskey --version
venv/bin/seskey list
[[ $(pipx run --quiet --pip-args=--no-index --spec "$wheel" seskey derive us-east-1 <<<"$AWS_SECRET_ACCESS_KEY") ]]
uvx --offline --from "$wheel" seskey local -- seskey create my-app
venv/bin/pip uninstall --quiet --yes seskey
[[ ! -e venv/bin/seskey ]]

python3 - "$packages"/*.cdx.json <<'END'
import pathlib, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(pathlib.Path(sys.argv[1]).read_text())
assert not wrong, wrong
END
