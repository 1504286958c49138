#!/usr/bin/env python3
"""The behaviour of senders that are refused: some try again, and some leave that to their caller.

Each sender sends the same messages under plans of faults, and the table in docs/faults.md has the results.
"""

import json
import os
import pathlib
import smtplib
import ssl
import subprocess
import sys
import urllib.request

try:
    import django.conf
    import django.core.mail
except ImportError:
    print("Django is not installed")
    sys.exit(127)

CLIENTS = pathlib.Path(__file__).parent / "smtp_clients"
ENDPOINT, PORT, CA = os.environ["AWS_ENDPOINT_URL"], int(os.environ["STARTTLS_PORT"]), os.environ["SESKEY_CA_FILE"]
FROM, TO = "news@example.com", "ann@example.net"
MESSAGE = f"From: {FROM}\r\nTo: {TO}\r\nSubject: Hello\r\n\r\nHello\r\n"

AT_ONCE, FOR_GOOD = '[[smtp]]\ncommand = "."\ncalls = [1]\n', '[[smtp]]\ncommand = "."\n'
PLANS = {
    "rate": AT_ONCE + 'reply = "454 Throttling failure: Maximum sending rate exceeded"\n',
    "quota": FOR_GOOD + 'reply = "454 Throttling failure: Daily message quota exceeded"\n',
    "rejected": FOR_GOOD + 'reply = "554 Message rejected: Email address is not verified."\n',
    "login-later": '[[smtp]]\ncommand = "AUTH"\ncalls = [1]\nreply = "454 Temporary authentication failure"\n',
    "login": '[[smtp]]\ncommand = "AUTH"\nreply = "535 Authentication Credentials Invalid"\n',
    "busy": '[[smtp]]\ncommand = "CONNECT"\ncalls = [1]\nreply = "421 Too many concurrent SMTP connections"\n',
    "lost-reply": '[[smtp]]\ncommand = "."\ncalls = [1]\ndrop = "after"\n',
}

# a text in the error of the first attempt, or in Postfix's log
EXPECTED = {
    "rate": {"smtplib": "SMTPDataError 454", "django": "SMTPDataError 454", "nodemailer": "454 ",
             "go": "454 ", "postfix": "deferred"},
    "quota": {"smtplib": "SMTPDataError 454", "django": "SMTPDataError 454", "nodemailer": "454 ",
              "go": "454 ", "postfix": "deferred"},
    "rejected": {"smtplib": "SMTPDataError 554", "django": "SMTPDataError 554", "nodemailer": "554 ",
                 "go": "554 ", "postfix": "bounced"},
    # Python's library tries the next mechanism
    "login-later": {"smtplib": "sent", "django": "sent", "nodemailer": "454 ",
                    "go": "454 ", "postfix": "deferred"},
    "login": {"smtplib": "SMTPAuthenticationError 535", "django": "SMTPAuthenticationError 535", "nodemailer": "535 ",
              "go": "535 ", "postfix": "deferred"},
    "busy": {"smtplib": "SMTPConnectError 421", "django": "SMTPConnectError 421", "nodemailer": "421 ",
             "go": "421 ", "postfix": "deferred"},
    "lost-reply": {"smtplib": "SMTPServerDisconnected", "django": "SMTPServerDisconnected", "nodemailer": "closed",
                   "go": "EOF", "postfix": "deferred"},
}


def main():
    user_name, password = credential()
    senders = {"smtplib": by_smtplib, "django": by_django, "nodemailer": by_nodemailer, "go": by_go,
               "postfix": by_postfix}
    failures = []
    for case, plan in PLANS.items():
        for sender, send in senders.items():
            call("DELETE", "/_aws/ses")
            call("POST", "/_seskey/faults", plan.encode())
            outcome = send(user_name, password)
            call("DELETE", "/_seskey/faults")
            came = len(json.loads(call("GET", "/_aws/ses"))["messages"])
            print(f"{case}\t{sender}\t{came} came\t{outcome}")
            expected = EXPECTED[case][sender]
            if expected not in outcome or came != (expected == "sent" or case == "lost-reply"):
                failures.append((case, sender))
    if failures:
        sys.exit(f"another outcome: {failures}")


def credential():
    made = subprocess.run([os.environ["SESKEY"], "create", "sender", "--no-verify", "--json"], check=True,
                          capture_output=True).stdout
    made = json.loads(made)
    return made["smtp_user_name"], made["smtp_password"]


def call(method, path, body=None):
    request = urllib.request.Request(ENDPOINT + path, data=body, method=method)
    return urllib.request.urlopen(request, timeout=30).read()


def named(error):
    return f"{type(error).__name__} {getattr(error, 'smtp_code', '')} {error}"


def by_smtplib(user_name, password):
    try:
        with smtplib.SMTP("localhost", PORT, timeout=30) as client:
            client.starttls(context=ssl.create_default_context(cafile=CA))
            client.login(user_name, password)
            client.sendmail(FROM, [TO], MESSAGE)
    except smtplib.SMTPException as error:
        return named(error)
    return "sent"


def by_django(user_name, password):
    # OpenSSL's own variable: Django has no setting for it
    os.environ["SSL_CERT_FILE"] = CA
    if not django.conf.settings.configured:
        django.conf.settings.configure(EMAIL_HOST="localhost", EMAIL_PORT=PORT, EMAIL_USE_TLS=True,
                                       EMAIL_HOST_USER=user_name, EMAIL_HOST_PASSWORD=password, EMAIL_TIMEOUT=30)
    try:
        django.core.mail.send_mail("Hello", "Hello", FROM, [TO])
    except smtplib.SMTPException as error:
        return named(error)
    return "sent"


def by_nodemailer(user_name, password):
    return by_program("nodemailer.js", user_name, password)


def by_go(user_name, password):
    return by_program("go.sh", user_name, password)


def by_postfix(user_name, password):
    # Postfix's own user must be able to go through
    os.chmod(".", 0o711)
    return by_program("postfix.sh", user_name, password)


def by_program(program, user_name, password):
    environment = os.environ | {"SMTP_HOST": "localhost", "SMTP_PORT": str(PORT), "SMTP_USER_NAME": user_name,
                                "SMTP_PASSWORD": password}
    home = pathlib.Path(program).stem
    pathlib.Path(home).mkdir(exist_ok=True)
    run = subprocess.run([CLIENTS / program, "starttls", FROM, TO], input=MESSAGE.encode(), env=environment, cwd=home,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    if run.returncode == 127:
        print(run.stdout.decode())
        sys.exit(127)
    said = run.stdout.decode(errors="replace").strip()
    return "sent" if run.returncode == 0 else " ".join(line for line in said.splitlines() if "status=" in line) or said


main()
