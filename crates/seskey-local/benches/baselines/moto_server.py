#!/usr/bin/env python3
"""moto's IAM at $HTTP_PORT, without a log line for each request."""

import logging
import os
import sys

try:
    from moto.server import main
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(127)

logging.getLogger("werkzeug").setLevel(logging.ERROR)
main(["-H", "127.0.0.1", "-p", os.environ["HTTP_PORT"]])
