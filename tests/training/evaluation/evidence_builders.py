"""Scored photos, an endpoint on this machine and a training job's answers, for the tests of evidence."""

import contextlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

from training.evaluation.predictions import Predictions

CLASSES = ("bicycle", "motorcycle")


def predictions(probabilities, labels, classes=CLASSES, **changes):
    """Predictions of photos 0.png, 1.png, …"""
    values = {
        "classes": tuple(classes),
        "model": "scones-dev-1a2b",
        "endpoint": "scones-dev",
        "created": "2026-11-20T10:00:00+00:00",
        "keys": [f"test/{classes[label]}/{place}.png" for place, label in enumerate(labels)],
        "labels": np.array(labels, dtype=np.int64),
        "probabilities": np.array(probabilities, dtype=np.float64),
        "seconds": np.full(len(labels), 0.01),
    }
    return Predictions(**(values | changes))


def some_predictions(photos=600, classes=CLASSES, seed=1, certainty=3.0):
    """Predictions of a model that is mostly right and rather sure."""
    random = np.random.default_rng(seed)
    labels = np.arange(photos) % len(classes)
    scores = random.normal(size=(photos, len(classes)))
    scores[np.arange(photos), labels] += certainty
    weights = np.exp(2 * scores)
    return predictions(weights / weights.sum(axis=1, keepdims=True), labels, classes)


def png(red, size=32, mode="RGB", format="PNG"):
    """A photo whose redness the endpoint takes for the first class; half of it is blue, to show something."""
    buffer = io.BytesIO()
    photo = Image.new("RGB", (size, size), (red, 0, 0))
    photo.paste((red, 0, 200), (0, size // 2, size, size))
    photo.convert(mode).save(buffer, format)
    return buffer.getvalue()


@contextlib.contextmanager
def endpoint(monkeypatch, answer=None):
    """A SageMaker runtime endpoint that this process serves; yields the requests it got.

    Without `answer` (body -> status, document) it takes red photos for the first of two classes.
    """
    requests = []

    def by_redness(body):
        image = Image.open(io.BytesIO(body))
        red = image.getpixel((0, 0))[0] / 255
        return 200, [red, 1 - red]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, self.headers["Content-Type"], body))
            status, document = (answer or by_redness)(body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in {
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
