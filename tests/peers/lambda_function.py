"""A function of AWS Lambda: `seskey lambda`, and the runtime API that it gets its events from.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import contextlib
import json
import queue
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = "application/json"


@contextlib.contextmanager
def lambda_function(seskey, name, account, environment, log, timeout):
    """The process, and what sends it an event and waits for `response` or `error` and the answer, while it runs.
    It has `timeout` seconds for each.
    """
    events, answers = queue.Queue(), queue.Queue()
    arn = f"arn:aws:lambda:{environment['AWS_REGION']}:{account}:function:{name}"
    runtime = serve(runtime_api(arn, timeout, events, answers))
    environment = environment | {
        "AWS_LAMBDA_RUNTIME_API": runtime.url.removeprefix("http://"),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    }

    def invoke(event):
        events.put(event)
        return answers.get(timeout=timeout)

    process = subprocess.Popen([seskey, "lambda"], env=environment, stdout=log, stderr=log)
    try:
        yield process, invoke
    finally:
        process.kill()
        process.wait()
        runtime.shutdown()


def serve(handler):
    """A server on a port of its own, with its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.url = "http://127.0.0.1:%d" % server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        # a function that is ended closes its connections
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, body, kind, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def runtime_api(arn, timeout, events, answers):
    class Runtime(Handler):
        def do_GET(self):
            event = events.get()
            deadline = str(int((time.time() + timeout) * 1000))
            self.answer(200, json.dumps(event).encode(), JSON,
                        Lambda_Runtime_Aws_Request_Id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                        Lambda_Runtime_Deadline_Ms=deadline, Lambda_Runtime_Invoked_Function_Arn=arn)

        def do_POST(self):
            answers.put((self.path.rpartition("/")[2], json.loads(self.body())))
            self.answer(202, b'{"status":"OK"}', JSON)

    return Runtime
