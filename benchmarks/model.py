"""How long an endpoint takes for a picture, as a caller sees it.

    python -m localcloud run -- python benchmarks/model.py [--requests 200] [--outputs FILE]

One request at a time: pictures of noise of the model's size, drawn anew for each. On the local cloud it is the stand-in
that answers, which is no ResNet. On AWS the way there is in it; what the model itself took is CloudWatch's
ModelLatency (docs/scale.md).
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from contract.outputs import require_outputs

WARMING = 5
"""Requests that are not counted."""


def noise(size: int, seed: int) -> bytes:
    """A picture, as a PNG."""
    output = io.BytesIO()
    Image.frombytes("RGB", (size, size), random.Random(seed).randbytes(3 * size * size)).save(output, "PNG")
    return output.getvalue()


def main() -> None:
    """Measure, and print milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--outputs", metavar="FILE")
    args = parser.parse_args()
    import boto3

    outputs = require_outputs(args.outputs, "endpoint_name", "image_size")
    runtime = boto3.client("sagemaker-runtime")
    took: list[float] = []
    for number in range(WARMING + args.requests):
        body = noise(outputs.image_size or 32, number)
        began = time.perf_counter()
        runtime.invoke_endpoint(EndpointName=outputs.endpoint_name, ContentType="application/x-image", Body=body)
        took.append(1000 * (time.perf_counter() - began))
    counted = sorted(took[WARMING:])
    middle, most = statistics.median(counted), counted[int(0.9 * len(counted))]
    print(f"{len(counted)} requests, one at a time: median {middle:.1f} ms, 90 % in {most:.1f} ms")


if __name__ == "__main__":
    main()
