#!/usr/bin/env python3
"""The steps of the GitHub Action and of the template for GitLab, run as the services would run them."""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

try:
    import yaml
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PACKAGES = REPOSITORY / "target/packages"
USE = "seskey --version && seskey local -- seskey create my-app"


def main():
    if not (PACKAGES / "SHA256SUMS").exists():
        print("the packages are not made: packaging/build")
        sys.exit(127)
    releases = pathlib.Path("releases").resolve()
    releases.mkdir()
    version = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    (releases / f"v{version}").symlink_to(PACKAGES)
    github(releases.as_uri())
    gitlab(releases.as_uri())


def github(releases):
    action = yaml.safe_load((REPOSITORY / "packaging/github-action/action.yml").read_text())
    inputs = {name: of["default"] for name, of in action["inputs"].items()} | {"releases": releases}
    temp = pathlib.Path("runner").resolve()
    temp.mkdir()
    path = temp / "path"
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        own = {name: expanded(value, inputs) for name, value in step["env"].items()}
        environment = os.environ | own | {"RUNNER_TEMP": str(temp), "GITHUB_PATH": str(path)}
        assert step["shell"] == "bash"
        subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], env=environment, check=True)
    use(":".join(path.read_text().split()))


def expanded(value, inputs):
    return re.sub(r"\$\{\{ inputs\.([a-z]+) \}\}", lambda match: inputs[match[1]], value)


def gitlab(releases):
    job = yaml.safe_load((REPOSITORY / "packaging/gitlab/seskey.yml").read_text())[".seskey"]
    environment = os.environ | job["variables"] | {"SESKEY_RELEASES": releases}
    folder = pathlib.Path("gitlab")
    folder.mkdir()
    script = "\n".join(["set -eo pipefail", *job["before_script"], USE])
    subprocess.run(["bash", "-c", script], cwd=folder, env=environment, check=True)


def use(path):
    subprocess.run(["bash", "-ec", USE], env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}"}, check=True)


if __name__ == "__main__":
    main()
