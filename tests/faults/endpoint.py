"""Between Classify and the local SageMaker: for photos that are told to it, it answers instead, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What one request gets; `status` 0 is a connection that is closed without a word."""

    status: int = 200
    body: bytes = b""
    error: str = ""
    seconds: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)


FINE = Answer(-1)
"""The real endpoint's own answer."""


def refused(status: int, error: str, message: str = "rehearsed") -> Answer:
    """An error of SageMaker's own."""
    return Answer(status, json.dumps({"message": message, "Message": message}).encode(), error)


def container(status: int, message: str = "rehearsed") -> Answer:
    """An error of the model's container, as SageMaker passes it on."""
    said = {"Message": message, "OriginalMessage": message, "OriginalStatusCode": status, "Code": "ModelError"}
    return Answer(424, json.dumps(said).encode(), "ModelError")


PASSED_ON = ("content-type", "x-amzn-errortype", "x-amzn-invoked-production-variant")


class Middleman:
    """A server at `url` in front of the one at `beyond`."""

    def __init__(self, beyond: str) -> None:
        self.beyond = urlsplit(beyond).netloc
        self.told: dict[str, list[Answer]] = {}
        self.lock = threading.Lock()
        middleman = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = middleman.next_for(body)
                time.sleep(answer.seconds)
                try:
                    middleman.give(self, answer, body)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def tell(self, picture: bytes, answers: Sequence[Answer]) -> None:
        """What requests with this picture get, one after the other, the last one for ever."""
        self.told[hashlib.sha256(picture).hexdigest()] = list(answers)

    def next_for(self, picture: bytes) -> Answer:
        name = hashlib.sha256(picture).hexdigest()
        with self.lock:
            answers = self.told.get(name, [FINE])
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def give(self, handler: BaseHTTPRequestHandler, answer: Answer, body: bytes) -> None:
        if not answer.status:
            handler.close_connection = True
            return
        status, data, headers = answer.status, answer.body, dict(answer.headers)
        if answer is FINE or status < 0:
            status, data, headers = self._forwarded(handler, body)
        elif answer.error:
            headers["x-amzn-errortype"] = answer.error
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def _forwarded(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self.beyond, timeout=30)
        try:
            connection.request("POST", handler.path, body, dict(handler.headers))
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() in PASSED_ON}
            return response.status, response.read(), kept
        finally:
            connection.close()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
