#!/usr/bin/env python3
"""The output of `seskey audit`, judged by its readers: OCSF by the models that Prowler writes it with, SARIF by the
schema of the standard, JSON by our own, the numbers by Prometheus's parser, the page by a parser of HTML."""

import csv
import html.parser
import io
import json
import os
import pathlib
import subprocess
import sys
import time

try:
    import jsonschema
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
    from py_ocsf_models.objects.cloud import Cloud
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

ROOT = pathlib.Path(__file__).resolve().parents[2]
SARIF = pathlib.Path(os.environ["NODE_PATH"]) / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
if not SARIF.is_file():
    print("@microsoft/jest-sarif is not installed")
    sys.exit(127)

FLEET = """
[[credential]]
user = "app"
region = "eu-west-1"
to = ["file:app.env"]

[[credential]]
user = "gone"
to = ["file:gone.env"]
"""


class InTheCloud(ComplianceFinding):
    """With the profile `cloud`, which the model has for other classes alone."""

    cloud: Cloud


def seskey(*arguments):
    return subprocess.run([os.environ["SESKEY"], *arguments], check=True, capture_output=True, text=True).stdout


def audit(*arguments):
    return seskey("audit", "--file", "seskey.toml", "--severity", "informational", *arguments)


def unknown(given, known, place=""):
    """The attributes that the model has dropped: it ignores what it does not know."""
    if isinstance(given, dict):
        for name, value in given.items():
            if not isinstance(known, dict) or name not in known:
                yield f"{place}.{name}"
            else:
                yield from unknown(value, known[name], f"{place}.{name}")
    elif isinstance(given, list):
        for index, value in enumerate(given):
            yield from unknown(value, known[index], f"{place}[{index}]")


seskey("create", "app", "--output", "app.csv")
seskey("create", "inline", "--style", "inline", "--output", "inline.csv")
pathlib.Path("seskey.toml").write_text(FLEET)

answer = json.loads(audit("--json"))
schema = json.loads((ROOT / "docs/audit.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(answer, schema, jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker())
found = [(finding["id"], finding["user_name"]) for finding in answer["findings"]]
for finding in ("region-differs", "app"), ("not-in-account", "gone"), ("direct-policy", "inline"):
    assert finding in found, found

events = json.loads(audit("--format", "ocsf"))
assert len(events) == len(found)
for event in events:
    known = InTheCloud.model_validate(event).model_dump(mode="json")
    assert list(unknown(event, known)) == [], list(unknown(event, known))
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]

log = json.loads(audit("--format", "sarif"))
jsonschema.validate(log, json.loads(SARIF.read_text()))
lines = {result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in log["runs"][0]["results"]
         if "physicalLocation" in result["locations"][0]}
assert lines == {3, 8}, lines
for result in log["runs"][0]["results"]:
    assert log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]

rows = list(csv.DictReader(io.StringIO(audit("--format", "csv"))))
assert [(row["id"], row["user_name"]) for row in rows] == found
assert not any(cell.startswith(tuple("=+-@")) for row in rows for cell in row.values())


class Page(html.parser.HTMLParser):
    """The tags that are open, and those that were there."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


page = Page()
page.feed(audit("--format", "html"))
assert page.open == [] and page.seen.count("article") == len(found)
assert not {"script", "img", "link", "iframe", "a", "form"} & set(page.seen)

numbers = audit("--format", "metrics")
assert numbers.endswith("# EOF\n")
try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    print("prometheus_client is not installed")
    sys.exit(127)


def families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def sums(family):
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


written = pathlib.Path("audit.prom")
audit("--metrics", str(written))
assert families(written.read_text()).keys() == families(numbers).keys()
audited = families(numbers)
assert sum(sample.value for sample in audited["seskey_audit_findings"].samples) == len(found)
assert audited["seskey_audit_users"].samples[0].value == 2
assert sums(audited["seskey_audit_accounts_failed"]) == {(): 0}

# the metrics of a run that fails in part: the user `gone` does not exist
begun = time.time()
pathlib.Path("fleet.toml").write_text(FLEET.replace("eu-west-1", "us-east-1"))
run = subprocess.run([os.environ["SESKEY"], "apply", "--quiet", "--file", "fleet.toml", "--metrics", "apply.prom"],
                     capture_output=True, text=True)
assert run.returncode == 3, run.stderr
applied = families(pathlib.Path("apply.prom").read_text())
states = sums(applied["seskey_apply_credentials"])
assert states == {("default", state): states["default", state] for state in ("done", "waiting", "due", "stopped", "failed")}
assert (states["default", "waiting"], states["default", "failed"]) == (1, 1), states
assert sums(applied["seskey_apply_last_success_timestamp_seconds"])["default", "app"] >= begun - 1
for family in applied.values():
    assert family.documentation and (family.unit == "seconds") == family.name.endswith("_seconds"), family
for name in "timestamp_seconds", "oldest_key_timestamp_seconds":
    assert sums(applied[f"seskey_apply_{name}"])["default",] >= begun - 3600
