#!/usr/bin/env python3
"""The time of a function from its start to its request for the first event, its memory then, and the size of its zip.
It prints Markdown.

    SESKEY=target/dist/seskey tests/peers/bench/cold_start.py [STARTS]

The runtime API is a socket that answers nothing. Linux (VmHWM of proc_pid_status(5)).
"""

import io
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time
import zipfile

SESKEY = os.environ["SESKEY"]


def main():
    starts = [start() for _ in range(int(sys.argv[1]) if sys.argv[1:] else 25)]
    times, memory = zip(*starts)
    print("| starts | until the first event is asked for | memory then | zip |")
    print("|---|---|---|---|")
    print(f"| {len(starts)} | {statistics.median(times):.1f} ms ({min(times):.1f} to {max(times):.1f}) "
          f"| {max(memory):.1f} MB at most | {zip_size():.1f} MB |")


def start():
    with socket.create_server(("127.0.0.1", 0)) as runtime:
        address = "127.0.0.1:%d" % runtime.getsockname()[1]
        environment = {"AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_FUNCTION_NAME": "seskey",
                       "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                       "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                       "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
        began = time.perf_counter()
        with subprocess.Popen([SESKEY, "lambda"], env=environment) as function:
            connection, _ = runtime.accept()
            request = connection.recv(4096)
            took = 1000 * (time.perf_counter() - began)
            assert request.startswith(b"GET /2018-06-01/runtime/invocation/next "), request
            status = pathlib.Path(f"/proc/{function.pid}/status").read_text()
            function.kill()
            connection.close()
    return took, int(re.search(r"VmHWM:\s*(\d+)", status)[1]) * 1024 / 1e6


def zip_size():
    """In MB, as `zip` makes it."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        file.write(SESKEY, "bootstrap")
    return len(package.getvalue()) / 1e6


main()
