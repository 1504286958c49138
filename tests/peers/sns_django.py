#!/usr/bin/env python3
"""A Django application gets a bounce by the webhook of django-ses, and no longer sends to that address.

django-ses verifies only signatures of version 1, and follows a SubscribeURL only at a host of AWS: both are done here
in its place.
"""

import json
import os
import queue
import smtplib
import ssl
import subprocess
import sys
import threading
import wsgiref.simple_server

try:
    import boto3
    import django
    from django.conf import settings
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

settings.configure(
    ALLOWED_HOSTS=["*"],
    AWS_SES_ADD_BOUNCE_TO_BLACKLIST=True,
    AWS_SES_VERIFY_EVENT_SIGNATURES=False,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    INSTALLED_APPS=["django_ses"],
    ROOT_URLCONF=__name__,
)
try:
    django.setup()
    from django_ses.models import BlacklistedEmail
    from django_ses.views import SESEventWebhookView
except ImportError as error:
    print(f"{error.name} is not installed")
    sys.exit(127)

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

ADDRESS = "bounce+ann@simulator.amazonses.com"
SEEN = queue.Queue()


class Webhook(SESEventWebhookView):
    """What it does, and when it is done."""

    def post(self, request, *args, **kwargs):
        message = json.loads(request.body)
        response = super().post(request, *args, **kwargs)
        SEEN.put(message)
        return response

    def handle_subscription_confirmation(self, notification):
        topic, token = notification["TopicArn"], notification["Token"]
        boto3.client("sns").confirm_subscription(TopicArn=topic, Token=token)


urlpatterns = [path("ses/events", csrf_exempt(Webhook.as_view()))]


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


def main():
    call_command("migrate", verbosity=0)
    application = get_wsgi_application()
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    sns, ses = boto3.client("sns"), boto3.client("ses")
    topic = sns.create_topic(Name="events")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.server_port}/ses/events")
    assert SEEN.get(timeout=60)["Type"] == "SubscriptionConfirmation"
    ses.create_configuration_set(ConfigurationSet={"Name": "app"})
    destination = {"Name": "sns", "Enabled": True, "MatchingEventTypes": ["bounce"],
                   "SNSDestination": {"TopicARN": topic}}
    ses.create_configuration_set_event_destination(ConfigurationSetName="app", EventDestination=destination)
    assert "Successfully validated" in SEEN.get(timeout=60)["Message"]

    mail()
    assert json.loads(SEEN.get(timeout=60)["Message"])["eventType"] == "Bounce"
    assert [row.email for row in BlacklistedEmail.objects.all()] == [ADDRESS]


def mail():
    made = subprocess.run([os.environ["SESKEY"], "create", "app", "--json"], check=True, capture_output=True).stdout
    made = json.loads(made)
    message = f"From: news@example.com\r\nTo: {ADDRESS}\r\nX-SES-CONFIGURATION-SET: app\r\nSubject: s\r\n\r\nt\r\n"
    with smtplib.SMTP("localhost", int(os.environ["STARTTLS_PORT"]), timeout=30) as client:
        client.starttls(context=ssl.create_default_context(cafile=os.environ["SESKEY_CA_FILE"]))
        client.login(made["smtp_user_name"], made["smtp_password"])
        client.sendmail("news@example.com", [ADDRESS], message)


main()
