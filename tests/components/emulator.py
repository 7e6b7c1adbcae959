"""A ministack of the tests' own, on a free port of this machine, gone at the end."""

import io
import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class Emulator:
    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@contextmanager
def emulator(log: Path, *, enforced: bool = False) -> Iterator[Emulator]:
    """Run one; `enforced` says whether IAM is asked about every request but the root's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFN_WAIT_SCALE": "0",
        **({"AUTH": "true"} if enforced else {}),
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ministack")],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        running = Emulator(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 30
        while True:
            try:
                running.client("sts").get_caller_identity()
                break
            except (BotoCoreError, ClientError):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(log.read_text()[-2000:]) from None
                time.sleep(0.2)
        yield running
    finally:
        process.terminate()
        process.wait(15)


def zipped(source: str) -> bytes:
    """A function's archive that runs on AWS's runtime interface client, as the local cloud does it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("stub.py", source)
        bootstrap = zipfile.ZipInfo("bootstrap")
        bootstrap.external_attr = 0o755 << 16
        archive.writestr(bootstrap, f'#!/bin/sh\nexec {sys.executable} -m awslambdaric "$_HANDLER"\n')
    return buffer.getvalue()
