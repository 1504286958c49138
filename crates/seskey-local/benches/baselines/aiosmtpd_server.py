#!/usr/bin/env python3
"""aiosmtpd that discards: STARTTLS at $SMTP_PORT, the TLS wrapper at $SMTPS_PORT."""

import asyncio
import os
import ssl
import sys

try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(127)

USER_NAME, PASSWORD = (os.environ[name].encode() for name in ("SMTP_USER_NAME", "SMTP_PASSWORD"))


class Discard:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"


def authenticate(server, session, envelope, mechanism, credentials):
    return AuthResult(success=(credentials.login, credentials.password) == (USER_NAME, PASSWORD))


async def serve():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(os.environ["TLS_CERTIFICATE"], os.environ["TLS_KEY"])
    settings = {"authenticator": authenticate, "auth_required": True}
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(Discard(), tls_context=tls, require_starttls=True, **settings),
                             "127.0.0.1", os.environ["SMTP_PORT"])
    # it takes only STARTTLS for TLS
    await loop.create_server(lambda: SMTP(Discard(), auth_require_tls=False, **settings),
                             "127.0.0.1", os.environ["SMTPS_PORT"], ssl=tls)
    await asyncio.Event().wait()


asyncio.run(serve())
