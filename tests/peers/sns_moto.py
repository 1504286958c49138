#!/usr/bin/env python3
"""A larger emulator beside the local SES: moto's SNS gets the events, by AWS_ENDPOINT_URL_SNS, and its SQS has them."""

import json
import os
import subprocess
import time

from moto_server import boto3, moto_server

SESKEY, REGION = os.environ["SESKEY"], os.environ["AWS_REGION"]


def main():
    with moto_server() as url:
        local = subprocess.Popen(
            [SESKEY, "local", "--quiet", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--smtps", "127.0.0.1:0"],
            env=os.environ | {"AWS_ENDPOINT_URL_SNS": url},
            stdout=subprocess.PIPE,
        )
        try:
            live(url, json.loads(local.stdout.readline()))
        finally:
            local.terminate()
            assert local.wait(30) == 0


def live(moto, ready):
    there = {"endpoint_url": moto, "region_name": REGION}
    sns, sqs = (boto3.client(service, **there) for service in ("sns", "sqs"))
    topic = sns.create_topic(Name="events")["TopicArn"]
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    ses = boto3.client(
        "ses",
        endpoint_url=ready["endpoint_url"],
        region_name=REGION,
        aws_access_key_id=ready["root"]["access_key_id"],
        aws_secret_access_key=ready["root"]["secret_access_key"],
    )
    ses.create_configuration_set(ConfigurationSet={"Name": "app"})
    destination = {"Name": "sns", "Enabled": True, "MatchingEventTypes": ["bounce"],
                   "SNSDestination": {"TopicARN": topic}}
    ses.create_configuration_set_event_destination(ConfigurationSetName="app", EventDestination=destination)
    ses.send_email(Source="news@example.com", Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]},
                   Message={"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}, ConfigurationSetName="app")

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            notification = json.loads(message["Body"])
            if notification.get("Subject") == "Amazon SES Email Event Notification":
                event = json.loads(notification["Message"])
                assert event["eventType"] == "Bounce", event
                return
    raise AssertionError("no bounce came")


main()
