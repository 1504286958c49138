#!/usr/bin/env python3
"""The SMTP password of a secret access key, computed independently of seskey.

    smtp_password.py REGION < SECRET_ACCESS_KEY

Source: SES Developer Guide, "Obtaining Amazon SES SMTP credentials".
"""

import base64
import functools
import hmac
import sys


def v4(secret: str, region: str) -> str:
    """The password of today: a key chained over date, region, service and terminator signs the message."""
    chain = ["11111111", region, "ses", "aws4_request", "SendRawEmail"]
    signature = functools.reduce(hmac_sha256, chain, b"AWS4" + secret.encode())
    return base64.b64encode(b"\x04" + signature).decode()


def v2(secret: str) -> str:
    """The password of before 2019, the same in every region."""
    return base64.b64encode(b"\x02" + hmac_sha256(secret.encode(), "SendRawEmail")).decode()


def hmac_sha256(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), "sha256")


if __name__ == "__main__":
    print(v4(sys.stdin.readline().strip(), sys.argv[1]))
