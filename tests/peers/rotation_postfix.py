#!/usr/bin/env python3
"""Postfix reads its password from the file that `seskey rotate` delivers, and relays a message every 200 ms through ten
rotations: each arrives once, and none is deferred.

New keys take effect after two seconds, and flap for two more. The account's clock goes on by months; Postfix keeps its
own. The hook is the one that a machine's administrator would write.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

for program in "postfix", "postmap":
    if not shutil.which(program):
        print(f"{program} is not installed")
        sys.exit(127)
if os.getuid() != 0:
    print("Postfix, for users other than root, is not installed")
    sys.exit(127)

HOME = pathlib.Path.cwd()
CONFIG, QUEUE, DATA, LOG = (HOME / name for name in ("config", "queue", "data", "log"))
PASSWORDS = CONFIG / "sasl_passwd"
ENDPOINT, PORT = os.environ["AWS_ENDPOINT_URL"], os.environ["STARTTLS_PORT"]

ROTATIONS = 10
# to the rotation, to the end of the old key's grace time, to the end of its quarantine
DAYS = [91, 8, 8]
INTERVAL = 0.2
PATIENCE = 60

LATE_KEYS = '[keys]\ncreated = "2s"\nflaps = "2s"\n'

STORE = f"file:{PASSWORDS}?format=postfix-sasl&host=127.0.0.1&port={PORT}"
RELOAD = f"postmap -c {CONFIG} hash:{PASSWORDS} && postfix -c {CONFIG} reload"

MAIN = f"""
compatibility_level = 3.6
queue_directory = {QUEUE}
data_directory = {DATA}
maillog_file = /dev/stdout
myhostname = relay.example.com
mydestination =
relayhost = [127.0.0.1]:{PORT}
smtp_connection_cache_on_demand = no
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:{PASSWORDS}
smtp_sasl_tls_security_options = noanonymous
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = localhost
smtp_tls_servername = localhost
smtp_tls_CAfile = {os.environ["SESKEY_CA_FILE"]}
"""

MASTER = """
postlog unix-dgram n - n - 1 postlogd
pickup  unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
tlsmgr  unix - - n - 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
smtp    unix - - n - - smtp
"""


def main():
    ask("/_seskey/faults", LATE_KEYS.encode())
    seskey("create", "relay", "--format", "json")
    configure()
    rotate()
    run("postmap", "-c", CONFIG, f"hash:{PASSWORDS}")
    with LOG.open("w") as log:
        postfix = subprocess.Popen(["postfix", "-c", CONFIG, "start-fg"], stdout=log, stderr=log)
    try:
        wait_for("the start of Postfix", lambda: " daemon started " in LOG.read_text())
        keys, sent = send_through_rotations()
        wait_for("the end of the deliveries", lambda: not waiting("maildrop", "incoming", "active"))
    finally:
        # faster than `postfix stop`, which looks once a second
        os.kill(int((QUEUE / "pid/master.pid").read_text()), signal.SIGTERM)
        postfix.wait()
    assert len(set(keys)) == ROTATIONS + 1, f"{ROTATIONS} rotations, and these keys were delivered: {keys}"
    log = LOG.read_text()
    bad = [line for line in log.splitlines() if re.search(r"status=(?!sent)|fatal:|panic:", line)]
    assert not bad, "\n".join(bad)
    assert not waiting("maildrop", "incoming", "active", "deferred", "hold")
    times = collections.Counter(subject(message) for message in messages())
    assert times == collections.Counter(map(str, range(sent))), f"of {sent} messages, not once: " + str(
        {n: times[n] for n in {*times, *map(str, range(sent))} if times[n] != 1})
    print(f"{sent} messages through {ROTATIONS} rotations")


def configure():
    CONFIG.mkdir()
    QUEUE.mkdir()
    run("install", "--directory", "--owner", "postfix", DATA)
    HOME.chmod(0o711)
    (CONFIG / "main.cf").write_text(MAIN)
    (CONFIG / "master.cf").write_text(MASTER)


def send_through_rotations():
    """The keys that the file has held, and how many messages were submitted."""
    over = threading.Event()
    sender = Sender(over)
    sender.start()
    keys = [delivered()]
    try:
        for _ in range(ROTATIONS):
            for days in DAYS:
                advance(days)
                rotate("--after", RELOAD)
            keys.append(delivered())
        # some more, that have only the last key
        time.sleep(2)
    finally:
        over.set()
        sender.join()
    if sender.failure:
        raise sender.failure
    return keys, sender.sent


class Sender(threading.Thread):
    """Submits a message every INTERVAL until it is over."""

    def __init__(self, over):
        super().__init__()
        self.over, self.sent, self.failure = over, 0, None

    def run(self):
        try:
            while not self.over.wait(INTERVAL):
                run("sendmail", "-C", CONFIG, "-f", "relay@example.com", "bob@example.org",
                    text=f"From: relay@example.com\nTo: bob@example.org\nSubject: {self.sent}\n\nHello\n")
                self.sent += 1
        except Exception as failure:
            self.failure = failure


def rotate(*options):
    seskey("rotate", "relay", "--to", STORE, *options)


def delivered():
    return PASSWORDS.read_text().split()[1].partition(":")[0]


def waiting(*queues):
    return [path.name for queue in queues for path in (QUEUE / queue).rglob("*") if path.is_file()]


def advance(days):
    ask("/_seskey/clock", json.dumps({"advance": f"{days}d"}).encode())


def messages():
    return json.loads(ask("/_aws/ses"))["messages"]


def subject(message):
    return re.search(r"^Subject: (.*?)\r$", message["RawData"], re.MULTILINE)[1]


def ask(path, body=None):
    with urllib.request.urlopen(ENDPOINT + path, body) as answer:
        return answer.read()


def seskey(*arguments):
    run(os.environ["SESKEY"], *arguments)


def run(*command, text=""):
    done = subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"{command} ends with status {done.returncode}:\n{done.stdout}"


def wait_for(what, happens):
    until = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < until, f"no {what} within {PATIENCE} seconds:\n{LOG.read_text()}"
        time.sleep(0.05)


if __name__ == "__main__":
    main()
