#!/usr/bin/env python3
"""Postfix reads its password from the file that `seskey rotate` delivers, and relays messages through rotations: each
arrives once, and none is deferred.

One Postfix goes through ten rotations. Then one for each spelling of `relayhost`, and for passwords by sender, go
through another rotation: their files have one entry with a key of the user, under the name by which Postfix looks it
up, and the other entries stay unchanged.

New keys take effect after two seconds, and flap for two more. The account's clock moves by months; Postfix keeps its
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
from concurrent.futures import ThreadPoolExecutor

for program in "postfix", "postmap":
    if not shutil.which(program):
        print(f"{program} is not installed")
        sys.exit(127)
if os.getuid() != 0:
    print("Postfix, for users other than root, is not installed")
    sys.exit(127)

HOME = pathlib.Path.cwd()
ENDPOINT, PORT = os.environ["AWS_ENDPOINT_URL"], os.environ["STARTTLS_PORT"]

ROTATIONS = 10
# to the rotation, to the end of the old key's grace time, to the end of its quarantine
DAYS = [91, 8, 8]
# between two messages, of all relays that send at the same time
INTERVAL = 0.2
PATIENCE = 60

LATE_KEYS = '[keys]\ncreated = "2s"\nflaps = "2s"\n'

# relayhost, and the name by which Postfix looks up its password: as it is spelled, or the host, or the sender
SPELLINGS = [
    (f"[127.0.0.1]:{PORT}", f"[127.0.0.1]:{PORT}"),
    (f"[localhost]:{PORT}", f"[localhost]:{PORT}"),
    (f"localhost:{PORT}", f"localhost:{PORT}"),
    (f"127.0.0.1:{PORT}", f"127.0.0.1:{PORT}"),
    ("[localhost]", "[localhost]"),
    ("localhost", "localhost"),
    (f"[localhost]:{PORT}", "localhost"),
    (f"[127.0.0.1]:{PORT}", "relay@example.com"),
    (f"localhost:{PORT}", "@example.com"),
]

# a credential of nobody: a relay that reads it instead of its own sends nothing
NOBODY = "AKIANOBODYNOBODYEXAM:BEP1Z4Un3KmvCfNgK1YtDVJGVbDfjPSsCjaO8vJAvv+3"

MAIN = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = /dev/stdout
myhostname = relay.example.com
mydestination =
relayhost = {relayhost}
smtp_tcp_port = {port}
smtp_dns_support_level = disabled
smtp_connection_cache_on_demand = no
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:{passwords}
smtp_sasl_tls_security_options = noanonymous
smtp_sender_dependent_authentication = {by_sender}
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = localhost
smtp_tls_servername = localhost
smtp_tls_CAfile = {ca_file}
"""

MASTER = """
postlog unix-dgram n - n - 1 postlogd
pickup  unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 1 1 qmgr
tlsmgr  unix - - n - 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
smtp    unix - - n - - smtp
"""


def main():
    ask("/_seskey/faults", LATE_KEYS.encode())
    HOME.chmod(0o711)
    options = f"?format=postfix-sasl&host=127.0.0.1&port={PORT}"
    first = Relay("relay", f"[127.0.0.1]:{PORT}", options=options)
    first.rotate()
    through([first], ROTATIONS)
    others = at_once(lambda n: Relay(f"relay-{n}", *SPELLINGS[n]), range(len(SPELLINGS)))
    for relay in others:
        relay.write_passwords()
    through(others, 1)


def through(relays, rotations):
    """Sends through these rotations, and looks at what became of it."""
    for relay in relays:
        relay.start(INTERVAL * len(relays))
    try:
        keys = [[relay.delivered()] for relay in relays]
        for _ in range(rotations):
            for days in DAYS:
                advance(days)
                at_once(Relay.rotate_and_reload, relays)
            for relay, held in zip(relays, keys):
                held.append(relay.delivered())
        # some more messages, which have only the last key
        time.sleep(2)
    finally:
        for relay in relays:
            relay.stop()
    for relay, held in zip(relays, keys):
        assert len(set(held)) == rotations + 1, f"{rotations} rotations of {relay.name}, and these keys were delivered: {held}"
        relay.look()


class Relay:
    """A Postfix of its own, with a user of its own."""

    def __init__(self, name, relayhost, looked_up=None, options=""):
        self.name, self.relayhost, self.looked_up = name, relayhost, looked_up
        self.created = json.loads(seskey("create", name, "--format", "json"))
        self.config, self.queue, self.data, self.log = (HOME / name / part for part in ("config", "queue", "data", "log"))
        self.passwords = self.config / "sasl_passwd"
        self.store = f"file:{self.passwords}{options}"
        self.reload = f"postmap -c {self.config} hash:{self.passwords} && postfix -c {self.config} reload"
        self.config.mkdir(parents=True)
        self.queue.mkdir()
        run("install", "--directory", "--owner", "postfix", self.data)
        (self.config / "main.cf").write_text(MAIN.format(
            queue=self.queue, data=self.data, relayhost=relayhost, port=PORT, passwords=self.passwords,
            by_sender="yes" if "@" in (looked_up or "") else "no", ca_file=os.environ["SESKEY_CA_FILE"]))
        (self.config / "master.cf").write_text(MASTER)

    def write_passwords(self):
        with open(self.passwords, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.text(f"{self.created['smtp_user_name']}:{self.created['smtp_password']}"))

    def text(self, pair):
        # by any other name, Postfix would find a credential of nobody
        others = ["[smtp.example.com]:587", "bob@example.com"]
        if "@" in self.looked_up:
            others.append(self.relayhost)
        return f"# of {self.name}\n{self.looked_up}\t {pair}\n" + "".join(f"{other} {NOBODY}\n" for other in others)

    def start(self, interval):
        run("postmap", "-c", self.config, f"hash:{self.passwords}")
        with self.log.open("w") as log:
            self.postfix = subprocess.Popen(["postfix", "-c", self.config, "start-fg"], stdout=log, stderr=log)
        self.wait_for("start of Postfix", lambda: " daemon started " in self.log.read_text())
        self.over = threading.Event()
        self.sender = Sender(self, interval)
        self.sender.start()

    def stop(self):
        self.over.set()
        self.sender.join()
        self.wait_for("end of the deliveries", lambda: not self.waiting("maildrop", "incoming", "active"))
        # faster than `postfix stop`, which looks once a second
        os.kill(int((self.queue / "pid/master.pid").read_text()), signal.SIGTERM)
        self.postfix.wait()

    def look(self):
        if self.sender.failure:
            raise self.sender.failure
        bad = [line for line in self.log.read_text().splitlines() if re.search(r"status=(?!sent)|fatal:|panic:", line)]
        assert not bad, "\n".join(bad)
        assert not self.waiting("maildrop", "incoming", "active", "deferred", "hold")
        if self.looked_up:
            text = self.passwords.read_text()
            assert text == self.text(text.split("\n")[1].split()[1]), text
        sent = [f"{self.name} {n}" for n in range(self.sender.sent)]
        subjects = (subject(message) for message in messages())
        times = collections.Counter(text for text in subjects if text.startswith(f"{self.name} "))
        assert sent and times == collections.Counter(sent), f"of {len(sent)} messages of {self.name}, not once: " + str(
            {text: times[text] for text in {*times, *sent} if times[text] != 1})
        print(f"{len(sent)} messages by {self.relayhost}, looked up as {self.looked_up or 'delivered'}")

    def rotate_and_reload(self):
        self.rotate("--after", self.reload)

    def rotate(self, *options):
        seskey("rotate", self.name, "--to", self.store, *options)

    def delivered(self):
        line = next(line for line in self.passwords.read_text().splitlines() if not line.startswith("#"))
        return line.split()[1].partition(":")[0]

    def waiting(self, *queues):
        return [path.name for queue in queues for path in (self.queue / queue).rglob("*") if path.is_file()]

    def wait_for(self, what, happens):
        until = time.monotonic() + PATIENCE
        while not happens():
            assert time.monotonic() < until, (
                f"no {what} within {PATIENCE} seconds, queued are "
                f"{self.waiting('maildrop', 'incoming', 'active')}:\n{self.log.read_text()}")
            time.sleep(0.05)


class Sender(threading.Thread):
    """Submits a message every `interval` seconds until it is over."""

    def __init__(self, relay, interval):
        # whatever fails ends the program
        super().__init__(daemon=True)
        self.relay, self.interval, self.sent, self.failure = relay, interval, 0, None

    def run(self):
        try:
            while not self.relay.over.wait(self.interval):
                header = f"From: relay@example.com\nTo: bob@example.org\nSubject: {self.relay.name} {self.sent}\n"
                run("sendmail", "-C", self.relay.config, "-f", "relay@example.com", "bob@example.org",
                    text=f"{header}\nHello\n")
                self.sent += 1
        except Exception as failure:
            self.failure = failure


def at_once(function, items):
    """Calls the function with each item. Most of a call is the wait for a new key."""
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(function, items))


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
    return run(os.environ["SESKEY"], *arguments, stderr=subprocess.PIPE)


def run(*command, text="", stderr=subprocess.STDOUT):
    done = subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, stderr=stderr)
    assert done.returncode == 0, f"{command} ends with status {done.returncode}:\n{done.stdout}{done.stderr or ''}"
    return done.stdout


if __name__ == "__main__":
    main()
