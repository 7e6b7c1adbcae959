"""A page in headless Chromium: what it shows at a width, what it logs, what it asks the network for."""

import html as escaping
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
FACTS = """
<script>
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument, all = (what) => [...page.querySelectorAll(what)];
  const facts = {
    width: page.documentElement.clientWidth,
    scrollWidth: page.documentElement.scrollWidth,
    images: all("img").map((i) => ({alt: i.alt, loaded: i.complete && i.naturalWidth > 0})),
    pictures: all("svg").map((s) => ({label: s.getAttribute("aria-label"), role: s.getAttribute("role"),
                                      height: s.getBoundingClientRect().height})),
    smallestText: Math.min(...all("svg text").map((t) => t.getBoundingClientRect().height)),
    background: getComputedStyle(page.body).backgroundColor,
    heading: page.querySelector("h1").textContent,
    text: page.body.innerText,
    ids: all("[id]").map((e) => e.id),
  };
  const pre = document.createElement("pre");
  pre.id = "facts";
  pre.textContent = JSON.stringify(facts);
  document.body.append(pre);
});
</script>
"""


@dataclass
class Browsed:
    facts: dict
    console: list[str]
    requests: list[str]


def browse(html: str, width: int = 1200, *, dark: bool = False) -> Browsed:
    """Load the page in a frame of that width; skips the test where Chromium is not installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder, "wrapper.html")
        wrapper.write_text(
            f'<!doctype html><iframe width="{width}" height="900" style="border:0" '
            f'srcdoc="{escaping.escape(html)}"></iframe>{FACTS}',
            encoding="utf-8",
        )
        log = Path(folder, "net.json")
        theme = ["--blink-settings=preferredColorScheme=0"] if dark else []
        done = subprocess.run(
            [
                chromium,
                *FLAGS,
                *theme,
                f"--user-data-dir={folder}/profile",
                "--enable-logging=stderr",
                f"--log-net-log={log}",
                "--window-size=1600,1000",
                "--virtual-time-budget=5000",
                "--dump-dom",
                wrapper.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        found = re.search(r'<pre id="facts">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found, done.stderr[-2000:]
        requests = _asked_by_pages(log.read_text())
    return Browsed(
        facts=json.loads(escaping.unescape(found.group(1))),
        console=[line for line in done.stderr.splitlines() if ":CONSOLE" in line],
        requests=sorted(requests),
    )


def _asked_by_pages(log: str) -> set[str]:
    """The addresses that a page asked for; what the browser does for itself has no origin as its initiator."""
    events = [event.get("params", {}) for event in json.loads(log)["events"]]
    return {
        event["url"]
        for event in events
        if event.get("initiator", "not an origin") != "not an origin"
        and event.get("url", "").partition(":")[0] not in ("file", "data", "blob", "about", "chrome")
    }
