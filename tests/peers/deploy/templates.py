#!/usr/bin/env python3
"""Each file in deploy/, read by its own tool. The templates permit the actions that `seskey policy operator` prints."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from rendered import ACCOUNT, DEPLOY, REGION, policies, resources, transformed

try:
    import hcl2
    import kubernetes_validate
    import yaml
    import cfnlint as _
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

HERE = pathlib.Path(__file__).resolve().parent
SESKEY = os.environ["SESKEY"]
TEMPLATES = ["sam/template.yaml", "stackset/member-role.yaml", "step-functions/template.yaml"]
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mail/app-AbCdEf"


def main():
    cloudformation()
    permissions()
    state_machine()
    terraform()
    kubernetes()
    prometheus()


def cloudformation():
    for path in TEMPLATES:
        made = pathlib.Path(path.replace("/", "-")).with_suffix(".json")
        made.write_text(json.dumps(transformed(path)))
        run("cfn-lint", "--non-zero-exit-code", "informational", DEPLOY / path, made)
    made = resources("sam/template.yaml", Secret=SECRET)
    schedule = made["FunctionDaily"]["Properties"]["Target"]
    assert json.loads(schedule["Input"]) == {"apply": {"secrets": [SECRET]}}
    assert made["SecretsManager"]["Properties"]["SourceAccount"] == ACCOUNT
    assert "SESKEY_CONFIG" not in made["Function"]["Properties"]["Environment"]["Variables"]
    made = resources("sam/template.yaml", Config="ssm:/seskey.toml")
    assert json.loads(made["FunctionDaily"]["Properties"]["Target"]["Input"]) == {"apply": {}}
    assert "Rotation" not in made


def permissions():
    sam = policies("sam/template.yaml", Secret=SECRET, Config="s3://bucket/seskey.toml", Create="yes", Organization="yes")
    member = policies("stackset/member-role.yaml", Create="yes", Caller="arn:aws:iam::111122223333:role/seskey")
    for verb in "rotate", "create", "organization":
        assert sam[verb] == operator(verb), verb
    assert {name: sam[name] for name in member} == member and member.keys() == {"rotate", "create", "stores"}
    assert json.loads((DEPLOY / "terraform/rotate.json").read_text())["Statement"] == operator("rotate")
    assert sam["config"][0]["Resource"] == "arn:aws:s3:::bucket/seskey.toml"
    least = policies("sam/template.yaml", Secret=SECRET)
    assert least.keys() == {"log", "rotate", "secret"}, least.keys()
    [parameter] = policies("sam/template.yaml", Config="ssm:/seskey.toml")["config"]
    assert parameter["Resource"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/seskey.toml"


def operator(verb):
    """One action is a text in a template as it may be in IAM, and a list in what is printed."""
    statements = json.loads(run(SESKEY, "policy", "operator", "--for", verb))["Statement"]
    return [statement | {"Action": one_or_all(statement["Action"])} for statement in statements]


def one_or_all(actions):
    return actions[0] if len(actions) == 1 else actions


def state_machine():
    definition = DEPLOY / "step-functions/accounts.asl.json"
    run("node", HERE / "state_machine.js", definition)
    places = set(re.findall(r"\$\{(\w+)\}", definition.read_text()))
    [machine] = (of for of in resources("step-functions/template.yaml").values() if "StateMachine" in of["Type"])
    assert machine["Properties"]["DefinitionSubstitutions"].keys() == places, places


def terraform():
    """Of the values of a secret, and of keys, nothing is made or read: it would be in the state."""
    parsed = [hcl2.loads(path.read_text()) for path in DEPLOY.glob("terraform/*.tf")]
    kinds = [kind.strip('"') for of in parsed for block in of.get("resource", []) + of.get("data", []) for kind in block]
    assert "aws_secretsmanager_secret_rotation" in kinds, kinds
    # the secret itself and its rotation have no value
    with_values = [kind for kind in kinds if re.search(r"secret_version|random_password|access_key|ssm_parameter|password", kind)]
    assert not with_values, with_values
    text = "".join(path.read_text() for path in DEPLOY.glob("terraform/*.tf"))
    used, declared = set(re.findall(r"\bvar\.(\w+)", text)), set(re.findall(r'variable "(\w+)"', text))
    assert used == declared, used ^ declared
    of_secret = policies("sam/template.yaml", Secret=SECRET)["secret"][0]["Action"]
    assert re.findall(r"secretsmanager:\w+", text) == of_secret, text


def kubernetes():
    objects = {}
    for text in (DEPLOY / "kubernetes/cronjob.yaml").read_text().split("\n---\n"):
        resource = yaml.safe_load(text)
        kubernetes_validate.validate(resource, "1.37", strict=True)
        objects[resource["kind"]] = resource
    pathlib.Path("seskey.toml").write_text(objects["ConfigMap"]["data"]["seskey.toml"])
    # the file is read, though its user does not exist yet
    run(SESKEY, "list", "--file", "seskey.toml")
    store = re.search(r'"kubernetes:\w+/(\w+)"', pathlib.Path("seskey.toml").read_text())[1]
    [rule] = objects["Role"]["rules"]
    assert store == objects["Secret"]["metadata"]["name"] and rule["resourceNames"] == [store], rule
    assert rule["verbs"] == ["get", "patch"], rule
    assert "data" not in objects["Secret"] and "stringData" not in objects["Secret"]
    pod = objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]


def prometheus():
    """The alerts are about metrics that there are."""
    pathlib.Path("seskey.toml").write_text(f'[[credential]]\nuser = "app"\nregion = "{REGION}"\nto = ["file:app.env"]\ncreate = true\n')
    run(SESKEY, "apply", "--metrics", "seskey.prom")
    written = pathlib.Path("seskey.prom").read_text() + run(SESKEY, "audit", "--format", "metrics")
    used = set(re.findall(r"\bseskey_\w+", (DEPLOY / "prometheus/alerts.yaml").read_text()))
    assert used <= set(re.findall(r"^seskey_\w+", written, re.MULTILINE)), used
    shutil.copy(DEPLOY / "prometheus/alerts.yaml", "alerts-to-test.yaml")
    run("promtool", "check", "rules", "alerts-to-test.yaml")
    shutil.copy(HERE / "alerts.yaml", "alerts-test.yaml")
    run("promtool", "test", "rules", "alerts-test.yaml")


def run(*command):
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except FileNotFoundError:
        print(f"{command[0]} is not installed")
        sys.exit(127)
    if done.returncode == 127:
        print(done.stdout + done.stderr)
        sys.exit(127)
    assert done.returncode == 0, f"{command}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


main()
