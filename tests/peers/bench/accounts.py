#!/usr/bin/env python3
"""Lambda functions, one in each of several accounts, rotate all keys of their accounts at the same time, while in each
account a client reads one credential and logs in, again and again. It prints Markdown.

    SESKEY=target/release/seskey tests/peers/bench/accounts.py [ACCOUNTS USERS-OF-EACH]

Each account is a local SES of its own, with functions and stores beside it in files. Linux (VmHWM of proc_pid_status(5)).
"""

import contextlib
import json
import os
import pathlib
import re
import smtplib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import boto3
import smtp_password
from lambda_function import lambda_function

SESKEY = os.environ["SESKEY"]
SENDING = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}],
})
# the longest time that Lambda gives an event
TIMEOUT = 900
# seconds between two looks at a credential
PAUSE = 1


def main():
    accounts, users = map(int, sys.argv[1:] or (20, 50))
    # a store that others may read is refused
    os.umask(0o077)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2 * accounts) as pool:
        home = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = [stack.enter_context(account(home / f"{number:012}")) for number in range(1, accounts + 1)]
        list(pool.map(lambda each: each.make_users(users), fleet))
        functions = [stack.enter_context(each.function()) for each in fleet]
        calls, over, began = sum(each.calls() for each in fleet), threading.Event(), time.monotonic()
        watchers = [pool.submit(each.watch, over) for each in fleet]
        try:
            events, times = zip(*pool.map(lambda each, function: each.rotate(*function), fleet, functions))
        finally:
            over.set()
        took = time.monotonic() - began
        calls = sum(each.calls() for each in fleet) - calls
        logins = sum(watcher.result() for watcher in watchers)
        for each in fleet:
            each.all_log_in_anew(users)
        peaks = [peak(process) for process, _ in functions]
    failures = [failure for each in fleet for failure in each.failures]
    for failure in failures[:10]:
        print(failure, file=sys.stderr)
    print("| accounts | users | events | time | a function | calls to IAM | a user | logins meanwhile | failed | peak memory |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    print(f"| {accounts} | {accounts * users} | {sum(events)} | {took:.1f} s | {min(times):.1f} to {max(times):.1f} s | {calls} "
          f"| {calls / accounts / users:.2f} | {logins} | {len(failures)} | {min(peaks):.1f} to {max(peaks):.1f} MB |")
    sys.exit(bool(failures))


@contextlib.contextmanager
def account(folder):
    """An account with its local SES, while it runs; its ID is the name of the folder, which is made."""
    folder.mkdir()
    addresses = [word for option in ("--http", "--smtp", "--smtps") for word in (option, "127.0.0.1:0")]
    local = subprocess.Popen([SESKEY, "local", "--quiet", "--account", folder.name, *addresses], stdout=subprocess.PIPE)
    try:
        yield Account(folder, json.loads(local.stdout.readline()))
    finally:
        local.terminate()
        local.wait()


class Account:
    def __init__(self, folder, ready):
        self.folder, self.ready, self.old, self.failures = folder, ready, {}, []
        self.url, self.region, self.root = ready["endpoint_url"], ready["region"], ready["root"]
        self.tls = ssl.create_default_context(cafile=ready["ca_file"])

    def make_users(self, users):
        """Each may send, and has a key of 91 days, which is in its file."""
        iam = boto3.client("iam", endpoint_url=self.url, region_name=self.region,
                           aws_access_key_id=self.root["access_key_id"],
                           aws_secret_access_key=self.root["secret_access_key"])
        toml = ""
        for user in range(users):
            name = f"user-{user}"
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="AmazonSesSendingAccess", PolicyDocument=SENDING)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            password = smtp_password.v4(key["SecretAccessKey"], self.region)
            self.old[user] = key["AccessKeyId"]
            self.file(user).write_text(json.dumps({"smtp_user_name": self.old[user], "smtp_password": password}))
            toml += f'[[credential]]\nuser = "{name}"\nto = ["file:{self.file(user)}?format=json"]\n'
        (self.folder / "seskey.toml").write_text(toml)
        self.ask("/_seskey/clock", json.dumps({"advance": "91d"}).encode())

    @contextlib.contextmanager
    def function(self):
        environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.root["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.root["secret_access_key"],
            "SESKEY_SMTP_ENDPOINT": self.ready["smtp"],
            "SESKEY_CA_FILE": self.ready["ca_file"],
            "SESKEY_CONFIG": str(self.folder / "seskey.toml"),
        }
        with (self.folder / "log").open("w") as log, lambda_function(
                SESKEY, "seskey", self.ready["account"], environment, log, TIMEOUT) as function:
            yield function

    def rotate(self, _, invoke):
        """How many events it takes, and seconds: one that fails comes twice more, as Lambda sends it."""
        began = time.monotonic()
        for events in range(1, 4):
            kind, answer = invoke({"apply": {}})
            if kind == "response":
                break
            print(f"{self.folder.name}: {answer['errorMessage']}", file=sys.stderr)
        else:
            self.failures.append(f"{self.folder.name}: not done by {events} events")
        return events, time.monotonic() - began

    def watch(self, over):
        """How often the credential in the middle has been read and tried."""
        logins = 0
        while not over.wait(PAUSE):
            self.log_in(len(self.old) // 2)
            logins += 1
        return logins

    def all_log_in_anew(self, users):
        for user in range(users):
            if self.log_in(user) == self.old[user]:
                self.failures.append(f"{self.file(user)} has the old key")

    def log_in(self, user):
        host, _, port = self.ready["smtp"].rpartition(":")
        try:
            credential = json.loads(self.file(user).read_text())
            with smtplib.SMTP(host, int(port), timeout=30) as smtp:
                smtp.starttls(context=self.tls)
                smtp.ehlo()
                # a refused login is not tried with another mechanism, as `login` does
                smtp.user, smtp.password = credential["smtp_user_name"], credential["smtp_password"]
                smtp.auth("PLAIN", smtp.auth_plain)
            return credential["smtp_user_name"]
        except (KeyError, OSError, ValueError) as error:
            self.failures.append(f"{self.file(user)}: {error!r}")

    def calls(self):
        """How many requests IAM has answered."""
        counts = re.findall(r'^seskey_api_requests_total\{.*service="iam".*\} (\d+)', self.ask("/_seskey/metrics"), re.M)
        return sum(map(int, counts))

    def ask(self, path, body=None):
        with urllib.request.urlopen(self.url + path, body) as answer:
            return answer.read().decode()

    def file(self, user):
        return self.folder / f"{user}.json"


def peak(process):
    """The most that was resident, in MB."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
