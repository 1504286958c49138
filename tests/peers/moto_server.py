"""A moto_server on a port of its own, for a peer. If it is not installed, the peer is not installed either."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time

try:
    import boto3
except ImportError:
    print("boto3 is not installed")
    sys.exit(127)
if not shutil.which("moto_server"):
    print("moto_server is not installed")
    sys.exit(127)


@contextlib.contextmanager
def moto_server():
    """Its address, while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_server(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()


def await_server(port):
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
    sys.exit("moto_server does not answer")
