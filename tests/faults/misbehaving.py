"""A deployed function in its own clothes: the real one, but for photos whose key says what is to go wrong.

It travels into the functions' archives of a stack under test, and imports what those hold.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import time
from pathlib import PurePosixPath
from typing import Any

import boto3
from botocore.config import Config

ACTS: dict[str, str] = json.loads(os.environ.get("MISBEHAVES", "{}"))
"""What this function does to a photo, by the last part of its key without suffix."""
PATIENCE = 2
"""Seconds that Classify waits for the endpoint here, instead of twenty."""

if os.environ.get("UNABLE_TO_START"):
    importlib.import_module("a_package_that_the_layer_lacks")
real: Any = importlib.import_module(os.environ["MISBEHAVING"])
if hasattr(real, "runtime_client"):
    real.runtime_client = functools.cache(
        lambda: boto3.client(
            "sagemaker-runtime",
            config=Config(connect_timeout=3, read_timeout=PATIENCE, retries={"total_max_attempts": 1}),
        )
    )


def handler(event: Any, context: Any) -> Any:
    """Do as the photo's name says, and then as the real function does, where that is still possible."""
    name = PurePosixPath(event.get("s3_key") or "").name.partition(".")[0] if isinstance(event, dict) else ""
    match ACTS.get(name, ""):
        case "crash":
            os._exit(1)
        case "out of memory":
            # what the kernel does to a process that takes more than it may
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            time.sleep(60)
        case "nap":
            time.sleep(8)
        case "late":
            time.sleep(2)
        case "bug":
            return 1 / 0
        case "no JSON":
            return {1, 2}
        case "nothing":
            return None
        case "text":
            return "all is well"
        case "less":
            return {"decision": "accepted"}
        case "6 MB":
            return {**event, "padding": "x" * 6_500_000}
        case "300 kB":
            return {**event, "padding": "x" * 300_000}
    return real.handler(event, context)
