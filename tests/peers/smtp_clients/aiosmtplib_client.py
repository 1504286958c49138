#!/usr/bin/env python3
"""aiosmtplib, the counterpart of smtplib for asyncio."""

import asyncio
import os
import socket
import ssl
import sys

try:
    import aiosmtplib
except ImportError:
    print("aiosmtplib is not installed")
    sys.exit(127)


async def main(tls, sender, recipient):
    host, port = os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])
    context = ssl.create_default_context(cafile=os.environ["SESKEY_CA_FILE"])
    # a connection made beforehand, so that the host is only the name for TLS
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setblocking(False)
    smtp = aiosmtplib.SMTP(hostname=host, sock=connection, use_tls=tls == "tls-wrapper", start_tls=tls == "starttls",
                           tls_context=context)
    try:
        async with smtp:
            await smtp.login(os.environ["SMTP_USER_NAME"], os.environ["SMTP_PASSWORD"])
            await smtp.sendmail(sender, recipient, sys.stdin.read())
    except aiosmtplib.SMTPResponseException as refusal:
        sys.exit(f"{refusal.code} {refusal.message}")


asyncio.run(main(*sys.argv[1:]))
