#!/usr/bin/env python3
"""An SMTP client logs in and sends with the right credential, and with no other.

    smtp_credentials.py CLIENT [ARGUMENT]...

CLIENT, a file in smtp_clients/, is run as `CLIENT [ARGUMENT]... starttls|tls-wrapper SENDER RECIPIENT`, with the
message on stdin and SMTP_HOST, SMTP_PORT, SMTP_USER_NAME, SMTP_PASSWORD and SESKEY_CA_FILE in its environment. It connects to that
port of 127.0.0.1, names that host in TLS, shows the replies of the server, and ends with status 0 if the message was
accepted.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

try:
    import boto3
except ImportError:
    print("boto3, which makes the access keys, is not installed")
    sys.exit(127)

import smtp_password

CLIENT = [pathlib.Path(__file__).resolve().parent / "smtp_clients" / sys.argv[1], *sys.argv[2:]]
MAILBOX = os.environ["AWS_ENDPOINT_URL"] + "/_aws/ses"
PORTS = {"starttls": os.environ["STARTTLS_PORT"], "tls-wrapper": os.environ["TLS_WRAPPER_PORT"]}

# A name without a region stands for the region of the local SES.
REGION, HOST = os.environ["AWS_REGION"], "localhost"
OTHER_REGION, OTHER_HOST = "eu-west-1", "email-smtp.eu-west-1.amazonaws.com"

SENDER, OTHER_SENDER, RECIPIENT = "news@example.com", "other@example.com", "bob@example.org"
MESSAGE = "From: {sender}\nTo: {recipient}\nSubject: A peer\n\n.begins with a dot\n"
MAY_SEND_NEWS = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "ses:SendRawEmail",
        "Resource": "*",
        "Condition": {"StringEquals": {"ses:FromAddress": SENDER}},
    },
}

INVALID = "535 Authentication Credentials Invalid"
DENIED = (
    f"554 Access denied: User `arn:aws:iam::{os.environ['ACCOUNT']}:user/news' is not authorized to perform "
    f"`ses:SendRawEmail' on resource `arn:aws:ses:{REGION}:{os.environ['ACCOUNT']}:identity/{OTHER_SENDER}'"
)


def main():
    iam = boto3.client("iam")
    iam.create_user(UserName="news")
    iam.put_user_policy(UserName="news", PolicyName="AmazonSesSendingAccess", PolicyDocument=json.dumps(MAY_SEND_NEWS))
    key = iam.create_access_key(UserName="news")["AccessKey"]
    key_id, secret = key["AccessKeyId"], key["SecretAccessKey"]
    password, other_password = smtp_password.v4(secret, REGION), smtp_password.v4(secret, OTHER_REGION)

    for tls in PORTS:
        client = Client(tls, key_id)
        client.is_accepted(password)
        client.is_accepted(other_password, host=OTHER_HOST, region=OTHER_REGION)
        client.is_refused("the secret access key", INVALID, secret)
        client.is_refused("another region's password", INVALID, other_password)
        client.is_refused("a v2 password", INVALID, smtp_password.v2(secret))
        client.is_refused("a sender whom the policy does not allow", DENIED, password, sender=OTHER_SENDER)
        iam.update_access_key(UserName="news", AccessKeyId=key_id, Status="Inactive")
        client.is_refused("an inactive access key", INVALID, password)
        iam.update_access_key(UserName="news", AccessKeyId=key_id, Status="Active")
        client.is_accepted(password)

    used = iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
    assert used["ServiceName"] == "ses-smtp" and used["Region"] == REGION, used


class Client:
    """The client, for one kind of TLS and one user name."""

    def __init__(self, tls, user_name):
        self.tls = tls
        self.user_name = user_name

    def is_accepted(self, password, host=HOST, region=REGION):
        status, said = self.send(password, SENDER, host)
        assert status == 0, f"{self.tls}: the right credential ends with status {status}:\n{said}"
        [message] = mailbox("GET")["messages"]
        assert message["Source"] == SENDER, message
        assert message["Destination"]["ToAddresses"] == [RECIPIENT], message
        assert message["Region"] == region, message
        assert "\r\nSubject: A peer\r\n" in message["RawData"], message
        assert "\r\n\r\n.begins with a dot\r\n" in message["RawData"], message
        mailbox("DELETE")
        assert mailbox("GET") == {"messages": []}

    def is_refused(self, what, reply, password, sender=SENDER):
        status, said = self.send(password, sender, HOST)
        assert status != 0, f"{self.tls}: {what} is accepted:\n{said}"
        assert reply in said, f"{self.tls}: {what} is not refused by {reply}:\n{said}"
        assert mailbox("GET") == {"messages": []}, f"{self.tls}: {what} leaves a message"

    def send(self, password, sender, host):
        environment = os.environ | {
            "SMTP_HOST": host,
            "SMTP_PORT": PORTS[self.tls],
            "SMTP_USER_NAME": self.user_name,
            "SMTP_PASSWORD": password,
        }
        done = subprocess.run([*CLIENT, self.tls, sender, RECIPIENT], env=environment, text=True, errors="replace",
                              input=MESSAGE.format(sender=sender, recipient=RECIPIENT),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 127:
            print(done.stdout)
            sys.exit(127)
        return done.returncode, done.stdout


def mailbox(method):
    with urllib.request.urlopen(urllib.request.Request(MAILBOX, method=method)) as answer:
        return json.loads(answer.read() or "null")


if __name__ == "__main__":
    main()
