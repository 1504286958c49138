#!/usr/bin/env python3
"""The time of a mail while each of its events goes to many subscribers. It prints Markdown.

    seskey local -- tests/peers/bench/subscribers.py [SUBSCRIBERS...]

The subscribers are one process, which takes a share of the processors, too. A mail goes through an open SMTP session;
its time is from the first command to the last reply.
"""

import asyncio
import json
import multiprocessing
import os
import smtplib
import ssl
import statistics
import sys
import time

import boto3

MAILS = 200
EVENTS = ["send", "delivery"]


def main():
    print("| subscribers | median of a mail | 99 of 100 | notifications that came meanwhile |")
    print("|---|---|---|---|")
    for subscribers in map(int, sys.argv[1:] or (0, 20, 200)):
        received, url = hooks()
        name = f"of-{subscribers}"
        subscribe(name, [f"{url}/{number}" for number in range(subscribers)])
        before = received.value
        times = mails(name)
        print(f"| {subscribers} | {statistics.median(times):.1f} ms | {times[MAILS * 99 // 100]:.1f} ms | {received.value - before:,} |")


def subscribe(name, endpoints):
    """A configuration set whose events go to them."""
    sns, ses = boto3.client("sns"), boto3.client("ses")
    topic = sns.create_topic(Name=name)["TopicArn"]
    for endpoint in endpoints:
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
    confirmed = 0
    while confirmed < len(endpoints):
        time.sleep(0.1)
        confirmed = int(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"])
    ses.create_configuration_set(ConfigurationSet={"Name": name})
    ses.create_configuration_set_event_destination(ConfigurationSetName=name, EventDestination={
        "Name": "sns", "Enabled": True, "MatchingEventTypes": EVENTS, "SNSDestination": {"TopicARN": topic}})
    # each subscriber is told that it is a destination now
    time.sleep(2)


def mails(name):
    """The milliseconds of each mail, the shortest first."""
    times = []
    mail = f"From: {os.environ['SMTP_FROM']}\r\nX-SES-CONFIGURATION-SET: {name}\r\nSubject: s\r\n\r\nt\r\n"
    with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=os.environ["SESKEY_CA_FILE"]))
        smtp.login(os.environ["SMTP_USERNAME"], os.environ["SMTP_PASSWORD"])
        for _ in range(MAILS):
            began = time.perf_counter()
            smtp.sendmail(os.environ["SMTP_FROM"], ["b@example.com"], mail)
            times.append(1000 * (time.perf_counter() - began))
    return sorted(times)


def hooks():
    """A server that confirms each subscription: how many notifications it got, and its URL."""
    received, port = multiprocessing.Value("q", 0), multiprocessing.Value("q", 0)

    async def hook(reader, writer):
        await reader.readline()
        headers = {}
        while line := (await reader.readline()).strip():
            name, value = line.split(b":", 1)
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers[b"content-length"]))
        if headers[b"x-amz-sns-message-type"] == b"Notification":
            received.value += 1
        else:
            await confirm(json.loads(body)["SubscribeURL"])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    async def confirm(url):
        host, path = url.removeprefix("http://").split("/", 1)
        reader, writer = await asyncio.open_connection(*host.rsplit(":", 1))
        writer.write(f"GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()

    async def serve():
        server = await asyncio.start_server(hook, "127.0.0.1", 0, backlog=1024)
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    multiprocessing.Process(target=lambda: asyncio.run(serve()), daemon=True).start()
    while not port.value:
        time.sleep(0.01)
    return received, f"http://127.0.0.1:{port.value}"


if __name__ == "__main__":
    main()
