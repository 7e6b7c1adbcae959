"""People at the review page: they answer over its HTTP routes, as its script in a browser does."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from contract.errors import UserError

PATIENCE_SECONDS = 60


@contextmanager
def review_page(environment: Mapping[str, str], by: str) -> Generator[str]:
    """The page as `operations review --serve` serves it; its address."""
    words = [sys.executable, "-m", "operations", "review", "--serve", "--as", by]
    server = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = server.stdout.readline().strip() if server.stdout else ""
        if not address:
            raise UserError("the review page did not start")
        yield address
    finally:
        # the last answer is settled on the way out
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE_SECONDS)


def answer_all(address: str, say: Callable[[str], str]) -> Counter[str]:
    """Answer what the page shows until it shows nothing more.

    Args:
        address: of the page.
        say: what a person says of the photo at a key.

    Returns:
        How often each answer was given.
    """
    window, given = f"day{uuid.uuid4().hex[:12]}", Counter[str]()
    found = re.search('data-token="([^"]+)"', _get(address).decode())
    if not found:
        raise UserError(f"{address} is no review page")
    while photos := json.loads(_get(f"{address}api/waiting/{window}"))["photos"]:
        shown = photos[0]
        answer = say(shown["key"])
        body = {"receipt": shown["receipt"], "answer": answer, "seconds": 1.0}
        headers = {"X-Scones-Token": found[1], "Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}api/answer/{window}", json.dumps(body).encode(), headers)
        try:
            _get(request)
            given[answer] += 1
        except urllib.error.HTTPError as error:
            # 409: it was answered or decided meanwhile, and the next one comes
            if error.code != 409:
                raise
    return given


def _get(what: str | urllib.request.Request) -> bytes:
    with urllib.request.urlopen(what, timeout=PATIENCE_SECONDS) as answer:
        body: Any = answer.read()
        return body
