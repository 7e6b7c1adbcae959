"""What the functions cost, against the simplest chain of boto3 that does something like it.

    python benchmarks/handlers.py [--photos 400] [--large 5] [--starts 9] [--json]

Three questions, one run:

(a) A photo of 32 x 32 pixels through Serialize, Classify and Filter in one process, against the chain: get the object,
    base64 of it, post it to the endpoint, compare with the threshold. A server in a process of its own answers both as
    S3 and SageMaker, and takes the same time for either.
(b) A photo of 12 megapixels made into what the model takes, against Pillow's decoder alone: the floor.
(c) A cold start: each handler and its client in a new process, against `import boto3` and the same client. CPU time,
    which other processes disturb the least.

Ways take turns, and medians count. The first table ends with the chain against itself: what lies within that is noise.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CLASSES = ("bicycle", "motorcycle", "neither")
SCORES = b"[0.97, 0.02, 0.01]"
BUCKET, KEY = "photos", "incoming/a.png"
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ENDPOINT_NAME": "scones",
    "ENDPOINT_CONFIGURATION": "configuration",
    "MODEL_NAME": "job",
    "CLASSES": json.dumps(CLASSES),
    "LOADING_BAYS": '{"bicycle": "bay 1", "motorcycle": "bay 2"}',
    "CONFIDENCE_THRESHOLD": "0.9",
    "IMAGE_SIZE": "32",
    "MAX_IMAGE_BYTES": "20000000",
    "MAX_IMAGE_PIXELS": "50000000",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=256, invoked_function_arn="arn:aws:lambda:us-east-1:1:function:f",
    aws_request_id="1",
)  # fmt: skip
Event = dict[str, object]


def picture(width: int, height: int, kind: str) -> bytes:
    """A photo of soft shapes under noise, which compresses about as a camera's does."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 255, (max(2, height // 90), max(2, width // 90), 3), np.uint8))
    soft = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    noisy = np.clip(soft + rng.integers(-6, 6, (height, width, 1)), 0, 255).astype(np.uint8)
    output = io.BytesIO()
    Image.fromarray(noisy).save(output, kind)
    return output.getvalue()


def serve(photo: bytes, told: Connection) -> None:
    """S3 with one object, and an endpoint, for one connection after the other and more at a time."""
    import threading

    described = json.dumps({"EndpointConfigName": "configuration", "EndpointStatus": "InService"}).encode()
    object_headers = b'ETag: "1"\r\nx-amz-version-id: v1\r\nContent-Type: image/png\r\n'

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        file = connection.makefile("rb")
        while request := file.readline():
            headers: dict[bytes, bytes] = {}
            while (line := file.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip()
            file.read(int(headers.get(b"content-length", b"0")))
            of_object = request.startswith((b"GET", b"HEAD"))
            body = photo if of_object else described if b"x-amz-target" in headers else SCORES
            more = object_headers if of_object else b"Content-Type: application/json\r\n"
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (len(body), more)
            connection.sendall(head if request.startswith(b"HEAD") else head + body)

    with socket.create_server(("127.0.0.1", 0)) as server:
        told.send(server.getsockname()[1])
        while True:
            threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()


def chain(s3: Any, runtime: Any) -> Callable[[Event], Event]:
    """What the notebooks' three functions do, without their mistakes."""

    def run(event: Event) -> Event:
        body = s3.get_object(Bucket=event["s3_bucket"], Key=event["s3_key"])["Body"].read()
        event = {**event, "image_data": base64.b64encode(body).decode()}
        image = base64.b64decode(str(event["image_data"]))
        answer = runtime.invoke_endpoint(EndpointName="scones", ContentType="image/png", Body=image)
        inferences: list[float] = json.loads(answer["Body"].read())
        if max(inferences) < 0.9:
            raise ValueError("THRESHOLD_CONFIDENCE_NOT_MET")
        return {**event, "inferences": inferences}

    return run


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int, warm: int = 5) -> dict[str, list[float]]:
    """Milliseconds of each way, by turns whose order changes."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(warm + rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            began = time.perf_counter()
            ways[name]()
            if number >= warm:
                took[name].append(1000 * (time.perf_counter() - began))
    return took


def small_photo(rounds: int) -> dict[str, list[float]]:
    """Question (a)."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(picture(32, 32, "PNG"), there))
    server.daemon = True
    server.start()
    try:
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{here.recv()}"
        import boto3

        from handlers import classify, filter, serialize

        run = chain(boto3.client("s3"), boto3.client("sagemaker-runtime"))
        event: Event = {"image_data": "", "s3_bucket": BUCKET, "s3_key": KEY}
        # the functions' log lines are written and not shown
        with quiet():
            serialized = serialize.handler(event, CONTEXT)
            classified = classify.handler(serialized, CONTEXT)
            accepted = filter.handler(classified, CONTEXT)
        assert (accepted["model"], accepted["loading_bay"]) == ("job", "bay 1")

        def ours() -> object:
            return filter.handler(classify.handler(serialize.handler(event, CONTEXT), CONTEXT), CONTEXT)

        ways = {
            "Serialize, Classify, Filter": ours,
            "the chain": lambda: run(event),
            "the chain again": lambda: run(event),
            "  Serialize alone": lambda: serialize.handler(event, CONTEXT),
            "  Classify alone": lambda: classify.handler(serialized, CONTEXT),
            "  Filter alone": lambda: filter.handler(classified, CONTEXT),
        }
        with quiet():
            return in_turns(ways, rounds, warm=20)
    finally:
        os.environ.pop("AWS_ENDPOINT_URL", None)
        server.terminate()
        server.join()


class quiet:
    """Standard output goes nowhere meanwhile, also for loggers that kept it."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self._kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)

    def __exit__(self, *words: object) -> None:
        sys.stdout.flush()
        os.dup2(self._kept, 1)
        os.close(self._kept)


def large_photos(rounds: int) -> dict[str, list[float]]:
    """Question (b)."""
    from PIL import Image

    from contract.pictures import to_model_image

    def decoded(data: bytes) -> None:
        Image.open(io.BytesIO(data)).load()

    ways: dict[str, Callable[[], object]] = {}
    for kind in ("JPEG", "PNG", "WEBP"):
        data = picture(4000, 3000, kind)
        name = f"{kind}, {len(data) / 1e6:.1f} MB"
        ways[name] = lambda data=data: to_model_image(data, size=32, max_pixels=50_000_000)
        ways[f"  {kind}: decoded alone"] = lambda data=data: decoded(data)
    return in_turns(ways, rounds, warm=1)


STARTS = {
    "Serialize": ("from handlers import serialize; serialize.s3_client()", "s3"),
    "Classify": ("from handlers import classify; classify.runtime_client()", "sagemaker-runtime"),
    "Filter": ("from handlers import filter", "s3"),
    "observe": ("from handlers.observe import handler", "s3"),
}


def cold_starts(rounds: int) -> dict[str, list[float]]:
    """Question (c): milliseconds of CPU."""

    def start(code: str) -> float:
        code = f"{code}\nimport resource\nused = resource.getrusage(resource.RUSAGE_SELF)\n"
        code += "print(1000 * (used.ru_utime + used.ru_stime))"
        environment = {**os.environ, **SETTINGS}
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout.splitlines()[-1])

    services = sorted({service for _, service in STARTS.values()})
    codes = {name: code for name, (code, _) in STARTS.items()}
    codes |= {f"boto3 and {service}": f"import boto3; boto3.client({service!r})" for service in services}
    took: dict[str, list[float]] = {name: [] for name in codes}
    for number in range(1 + rounds):
        for name, code in codes.items():
            milliseconds = start(code)
            # the first round fills the disk's cache
            if number:
                took[name].append(milliseconds)
    return took


def report(took: Mapping[str, Sequence[float]], peers: Mapping[str, str]) -> list[dict[str, object]]:
    """A row of each way: its median, the quartiles, and its ratio to its peer."""
    medians = {name: statistics.median(values) for name, values in took.items()}
    rows: list[dict[str, object]] = []
    for name, values in took.items():
        low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
        peer = peers.get(name)
        ratio = round(medians[name] / medians[peer], 2) if peer else None
        rows.append({"way": name, "ms": medians[name], "from": low, "to": high, "peer": peer, "ratio": ratio})
    return rows


def write(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table for people."""
    print(f"\n{title}\n{'':34}{'median ms':>10}{'quartiles':>19}   ratio")
    for row in rows:
        beside = f"{row['ratio']:.2f} of {row['peer'].strip()}" if row["peer"] else ""
        print(f"{row['way']:34}{row['ms']:10.2f}{row['from']:10.2f}..{row['to']:<7.2f}   {beside}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What the functions cost, beside a chain of boto3.")
    add = parser.add_argument
    add("--photos", type=int, default=400, help="how many small photos each way takes (default: %(default)s)")
    add("--large", type=int, default=5, help="how many photos of 12 megapixels (default: %(default)s)")
    add("--starts", type=int, default=9, help="how many cold starts (default: %(default)s)")
    add("--json", action="store_true", help="the figures for scripts")
    arguments = parser.parse_args()
    os.environ.update(SETTINGS)
    starts = {name: f"boto3 and {service}" for name, (_, service) in STARTS.items()}
    small = {"Serialize, Classify, Filter": "the chain", "the chain again": "the chain"}
    large = {name: f"  {name.partition(',')[0]}: decoded alone" for name in ()}
    tables: dict[str, list[dict[str, object]]] = {}
    if arguments.photos:
        tables["A photo of 32 x 32 pixels, in process"] = report(small_photo(arguments.photos), small)
    if arguments.large:
        took = large_photos(arguments.large)
        large = {name: f"  {name.partition(',')[0]}: decoded alone" for name in took if "," in name}
        tables["A photo of 12 megapixels, made into the model's picture"] = report(took, large)
    if arguments.starts:
        tables["A cold start, CPU"] = report(cold_starts(arguments.starts), starts)
    if arguments.json:
        print(json.dumps(tables, indent=1))
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for title, rows in tables.items():
        write(title, rows)


if __name__ == "__main__":
    main()
