#!/usr/bin/env python3
"""A subscriber that subscribes by boto3, confirms, and verifies every signature with a validator from PyPI.

The validator knows only version 1 of signatures, so its hash is replaced by that of version 2; the signed text, the
padding and the way to the certificate are its own.
"""

import http.server
import json
import os
import queue
import sys
import threading
import urllib.request

try:
    import boto3
    from cryptography.hazmat.primitives.hashes import SHA256
    from sns_message_validator import SignatureVerificationFailureException, SNSMessageValidator, sns_message_validator
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

sns_message_validator.SHA1 = SHA256
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SESKEY_CA_FILE"]
HERE = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
VALIDATOR = SNSMessageValidator(cert_url_regex=f"^https://{HERE}/", signature_version="2")
RECEIVED = queue.Queue()


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        RECEIVED.put((self.headers, json.loads(body)))

    def log_message(self, *_):
        pass


def main():
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    sns, ses = boto3.client("sns"), boto3.client("ses")
    topic = sns.create_topic(Name="events", Tags=[{"Key": "team", "Value": "mail"}])["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "0"
    endpoint = f"http://127.0.0.1:{hook.server_port}/hook"
    asked = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint, ReturnSubscriptionArn=True)
    subscription = asked["SubscriptionArn"]

    confirmation = received("SubscriptionConfirmation")
    assert b"<SubscriptionArn>" in urllib.request.urlopen(confirmation["SubscribeURL"]).read()
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    assert [it["SubscriptionArn"] for page in pages for it in page["Subscriptions"]] == [subscription]

    message_id = sns.publish(TopicArn=topic, Subject="Grüße", Message="zwei\nZeilen")["MessageId"]
    notification = received("Notification")
    assert notification["MessageId"] == message_id
    try:
        VALIDATOR.validate_message(notification | {"Message": "another"})
        sys.exit("a message that was changed is taken")
    except SignatureVerificationFailureException:
        pass

    ses.create_configuration_set(ConfigurationSet={"Name": "app"})
    destination = {"Name": "sns", "Enabled": True, "MatchingEventTypes": ["bounce"],
                   "SNSDestination": {"TopicARN": topic}}
    ses.create_configuration_set_event_destination(ConfigurationSetName="app", EventDestination=destination)
    assert received("Notification")["Message"].startswith("Successfully validated SNS topic")
    ses.send_email(Source="news@example.com", Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]},
                   Message={"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}, ConfigurationSetName="app")
    bounce = json.loads(received("Notification")["Message"])
    assert (bounce["eventType"], bounce["bounce"]["bounceType"]) == ("Bounce", "Permanent"), bounce

    urllib.request.urlopen(notification["UnsubscribeURL"]).read()
    again = received("UnsubscribeConfirmation")
    urllib.request.urlopen(again["SubscribeURL"]).read()
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.delete_topic(TopicArn=topic)


def received(kind):
    """The next message, whose signature is right."""
    headers, message = RECEIVED.get(timeout=60)
    assert headers["x-amz-sns-message-type"] == message["Type"] == kind, message
    VALIDATOR.validate_message(message)
    return message


main()
