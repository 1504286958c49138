#!/usr/bin/env python3
"""Hostile messages and requests by SMTP and both sending APIs, from several clients at once, while the local SES is
killed and started again on its directory: it never ends by itself, its memory is bounded, and the acknowledged messages
are kept. It runs for $SECONDS, 20 by default, with a kill every $BETWEEN_KILLS; the memory is written to $MEMORY_CSV,
and as a curve to the output.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import random
import re
import smtplib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

try:
    import boto3
    from botocore.config import Config
except ImportError:
    print("boto3 is not installed")
    sys.exit(127)

SESKEY = os.environ["SESKEY"]
SECONDS = float(os.environ.get("SECONDS", 20))
BETWEEN_KILLS = float(os.environ.get("BETWEEN_KILLS", 6))
CLIENTS = 4
# the memory of four clients at three times their bytes, beside the mailbox of 256 MiB and the program itself
LARGEST = 8 << 20
BOUND_MB = 320 + CLIENTS * 3 * (LARGEST >> 20)

HEADER = b"From: a@example.com\r\nTo: b@example.net\r\n"
MULTIPART = HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HOSTILE = [
    (HEADER, b"Content-Type: message/rfc822; boundary=x\r\n\r\n"),
    (HEADER, b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"),
    (MULTIPART, b"--b\r\n\r\n"),
    (MULTIPART, b"--c\r\n"),
    (MULTIPART[:-4], b";a=b"),
    (HEADER + b"Cc: ", b"a@b,"),
    (HEADER + b"Cc: ", b"a:;"),
    (HEADER + b"Subject: ", b"=?utf-8?q?a?= "),
    (HEADER, b"a:\r\n"),
    (HEADER + b"\r\n", b"\xff"),
    (HEADER + b"\r\n", b"\0\r\n..\r\n"),
    (HEADER + b"\r\n", b"an honest line\r\n"),
]
ID = re.compile(rb'"Id":"([0-9a-f-]+)"')
TEXTS = [b"[", b'{"a":', b'"",', b"0,", b"a=&", b"%00", b"member.1="]


class Local:
    """A local SES on a directory, and its clients."""

    def __init__(self, directory, log):
        command = [SESKEY, "local", "--quiet", "--data", directory]
        for option in "--http", "--smtp", "--smtps":
            command += [option, "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.ready = json.loads(self.process.stdout.readline())
        self.url = self.ready["endpoint_url"]
        root = self.ready["root"]
        self.root = root["access_key_id"], root["secret_access_key"]
        self.tls = ssl.create_default_context(cafile=self.ready["ca_file"])
        config = Config(retries={"max_attempts": 0}, parameter_validation=False)
        self.v1, self.v2 = (boto3.client(service, region_name="us-east-1", endpoint_url=self.url, config=config,
                                         aws_access_key_id=self.root[0], aws_secret_access_key=self.root[1])
                            for service in ("ses", "sesv2"))

    def memory(self, name="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(name))

    def messages(self):
        """Their IDs. The mailbox is read in pieces, as it may be larger than what a client should hold."""
        ids, end = set(), b""
        with urllib.request.urlopen(f"{self.url}/_aws/ses") as answer:
            while piece := answer.read(1 << 20):
                piece = end + piece
                ids.update(ID.findall(piece))
                end = piece[-100:]
        return {id.decode() for id in ids}


def by_smtp(local, message):
    host, _, port = local.ready["smtps"].rpartition(":")
    with smtplib.SMTP_SSL(host, int(port), context=local.tls, timeout=30) as smtp:
        key, secret = local.root
        smtp.login(key, smtp_password(secret))
        smtp.mail("a@example.com")
        smtp.rcpt("b@example.net")
        code, text = smtp.data(message)
        return text.decode().removeprefix("Ok ") if code == 250 else None


def by_v1(local, message):
    return local.v1.send_raw_email(RawMessage={"Data": message})["MessageId"]


def by_v2(local, message):
    return local.v2.send_email(Content={"Raw": {"Data": message}})["MessageId"]


def size():
    return random.randrange(LARGEST) >> random.randrange(8)


def by_any_request(local, _):
    """No message at all: bytes without end or sense where a request belongs, as if it were signed."""
    body = random.choice(TEXTS) * (size() // 4)
    path = random.choice(["/", "/v2/email/outbound-emails", "/_seskey/faults", "/_seskey/clock", "/_aws/ses"])
    signature = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260301/us-east-1/ses/aws4_request, "
    headers = {"Authorization": signature + "SignedHeaders=host, Signature=" + "0" * 64}
    urllib.request.urlopen(urllib.request.Request(local.url + path, body, headers, method="POST"), timeout=30).read()


def by_signed_json(local, _):
    """The same where a user of the account has signed it."""
    item = random.choice(["", 0, [], {}])
    many = [item] * (size() // 8)
    name = random.choice(["Attachments", "ReplyToAddresses", "EmailTags", "Destination"])
    given = {"ToAddresses": many} if name == "Destination" else many
    local.v2.send_email(Content={"Raw": {"Data": b""}}, **{name: given})


def smtp_password(secret):
    signature = b"AWS4" + secret.encode()
    for message in "11111111", "us-east-1", "ses", "aws4_request", "SendRawEmail":
        signature = hmac.digest(signature, message.encode(), hashlib.sha256)
    return base64.b64encode(b"\x04" + signature).decode()


def attack(local, acknowledged, requests, until):
    ways = [by_smtp, by_smtp, by_v1, by_v2, by_any_request, by_signed_json]
    while time.monotonic() < until and local.process.poll() is None:
        begin, repeated = random.choice(HOSTILE)
        message = begin + repeated * (size() // len(repeated)) + b"\r\n"
        try:
            if told := random.choice(ways)(local, message):
                acknowledged.append(told)
        except Exception:  # a refusal, or the end of the process, which is checked where it is awaited
            pass
        requests.append(None)


def forgotten(acknowledged, kept):
    """What is not in the mailbox, though something is that is older by more than two messages can be at a time."""
    oldest = min(map(milliseconds, kept), default=0)
    return {id for id in acknowledged if milliseconds(id) > oldest + 10_000} - kept


def milliseconds(id):
    return int(id[4:16], 16)


def watch(local, began, curve, until):
    while time.monotonic() < until and local.process.poll() is None:
        try:
            curve.append((time.monotonic() - began, local.memory()))
        except (OSError, StopIteration):
            return
        time.sleep(0.2)


def main():
    seed = int(os.environ.get("SEED", time.time()))
    random.seed(seed)
    began, curve, requests, acknowledged, kills = time.monotonic(), [], [], [], 0
    with tempfile.TemporaryDirectory() as home, open(f"{home}/log", "w+b") as log:
        while (left := began + SECONDS - time.monotonic()) > 0:
            local = Local(f"{home}/data", log)
            assert not (lost := forgotten(acknowledged, local.messages())), f"acknowledged and lost: {lost}"
            until = time.monotonic() + min(left, BETWEEN_KILLS)
            threads = [threading.Thread(target=attack, args=(local, acknowledged, requests, until))
                       for _ in range(CLIENTS)]
            threads.append(threading.Thread(target=watch, args=(local, began, curve, until)))
            for thread in threads:
                thread.start()
            time.sleep(max(0, until - time.monotonic()))
            assert local.process.poll() is None, f"it has ended by itself: {local.process.returncode}"
            curve.append((time.monotonic() - began, local.memory("VmHWM")))
            local.process.kill()
            local.process.wait()
            kills += 1
            for thread in threads:
                thread.join()
        local = Local(f"{home}/data", log)
        assert not (lost := forgotten(acknowledged, local.messages())), f"acknowledged and lost: {lost}"
        local.process.kill()
        local.process.wait()
        log.seek(0)
        assert b"panicked" not in log.read(), "a connection broke off"
    if path := os.environ.get("MEMORY_CSV"):
        lines = ["second,megabytes", *(f"{second:.1f},{megabytes}" for second, megabytes in curve)]
        pathlib.Path(path).write_text("\n".join(lines) + "\n")
    show(curve)
    peak = max(megabytes for _, megabytes in curve)
    print(f"{len(requests)} messages and requests, {len(acknowledged)} acknowledged, {kills} kills, "
          f"peak {peak} MB of {BOUND_MB}, seed {seed}")
    assert peak <= BOUND_MB, f"{peak} MB"


def show(curve):
    step = max(1, len(curve) // 40)
    for at in range(0, len(curve), step):
        second = curve[at][0]
        peak = max(megabytes for _, megabytes in curve[at : at + step])
        print(f"{second:7.1f} s {peak:5} MB {'#' * (peak // 8)}")


main()
