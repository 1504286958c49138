#!/usr/bin/env python3
"""A rotation into Secrets Manager and the SSM parameter store, served by moto and read by boto3: both hold the same
credential at every moment, the secret keeps the previous one, and no reader waits for a login.
"""

import json
import os
import subprocess
import urllib.request

from moto_server import boto3, moto_server

SESKEY, IAM = os.environ["SESKEY"], os.environ["AWS_ENDPOINT_URL"]
TO = ["--to", "secretsmanager:prod/smtp", "--to", "ssm:/prod/smtp"]


def main():
    with moto_server() as url:
        for service in "SECRETS_MANAGER", "SSM":
            os.environ[f"AWS_ENDPOINT_URL_{service}"] = url
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        live()


def live():
    secrets, parameters = boto3.client("secretsmanager"), boto3.client("ssm")

    def held(stage="AWSCURRENT"):
        text = secrets.get_secret_value(SecretId="prod/smtp", VersionStage=stage)["SecretString"]
        secret = json.loads(text)
        return secret["smtp_user_name"], secret["smtp_password"]

    def parameter():
        found = parameters.get_parameter(Name="/prod/smtp", WithDecryption=True)["Parameter"]
        assert found["Type"] == "SecureString", found["Type"]
        secret = json.loads(found["Value"])
        return secret["smtp_user_name"], secret["smtp_password"]

    seskey("create", "secret-app", "--region", "us-east-1", *TO)
    first = held()
    assert parameter() == first
    for _ in range(3):
        before = held()
        later("91d")
        assert outcome(*TO)["why"] == "grace"
        assert held() == parameter() != before
        assert held("AWSPREVIOUS") == before
        later("8d")
        assert outcome(*TO)["why"] == "quarantine"
        later("8d")
        assert outcome(*TO)["outcome"] == "done"
    revoked = held()
    seskey("revoke", "secret-app", "--replace", *TO)
    assert held() == parameter() != revoked
    file = "credential.json"
    with open(file, "w") as credential:
        json.dump(dict(zip(("smtp_user_name", "smtp_password"), held())), credential)
    seskey("verify", "--credentials", file, "--region", "us-east-1")


def outcome(*arguments):
    answer = json.loads(seskey("rotate", "secret-app", "--json", "--wait-unused", *arguments))
    return answer["users"][0]


def seskey(*arguments):
    run = subprocess.run([SESKEY, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, f"{arguments}: {run.returncode}: {run.stderr}"
    return run.stdout


def later(time):
    body = json.dumps({"advance": time}).encode()
    urllib.request.urlopen(f"{IAM}/_seskey/clock", body).read()


main()
