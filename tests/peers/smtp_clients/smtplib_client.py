#!/usr/bin/env python3
"""smtplib of Python's standard library."""

import os
import smtplib
import ssl
import sys

tls, sender, recipient = sys.argv[1:]
context = ssl.create_default_context(cafile=os.environ["SESKEY_CA_FILE"])

smtp = smtplib.SMTP() if tls == "starttls" else smtplib.SMTP_SSL(context=context)
smtp._host = os.environ["SMTP_HOST"]  # the name for TLS, apart from where to connect
try:
    smtp.connect("127.0.0.1", int(os.environ["SMTP_PORT"]))
    if tls == "starttls":
        smtp.starttls(context=context)
    smtp.login(os.environ["SMTP_USER_NAME"], os.environ["SMTP_PASSWORD"])
    smtp.sendmail(sender, recipient, sys.stdin.read())
    smtp.quit()
except smtplib.SMTPResponseException as refusal:
    sys.exit(f"{refusal.smtp_code} {refusal.smtp_error.decode()}")
