"""The documented derivation in Python, to compare with.

derive.py SECRET REGION prints the password; derive.py --count N SECRET REGION derives N times and prints the seconds.
"""

import base64
import hashlib
import hmac
import sys
import time


def derive(secret, region):
    key = b"AWS4" + secret.encode()
    for part in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + key).decode()


if sys.argv[1] == "--count":
    count, secret, region = int(sys.argv[2]), *sys.argv[3:]
    start = time.perf_counter()
    for _ in range(count):
        derive(secret, region)
    print(time.perf_counter() - start)
else:
    print(derive(*sys.argv[1:]))
