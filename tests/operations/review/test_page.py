"""The page in a real browser, against the real server in a process of its own, against moto in another."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.assertions import at_least_one
from tests.operations.review.stack_of_moto import BUCKET, Stacked, make

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.long
PATIENCE = 30
"""Seconds: what takes milliseconds on a quiet machine."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def stack(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Stacked:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).read()
    return make(endpoint)


class Server:
    """`python -m operations review --serve`, and its address."""

    def __init__(self, stack: Stacked, endpoint: str, folder: Path, port: int = 0) -> None:
        (folder / "outputs.json").write_text(json.dumps(stack.outputs()))
        words = ["-m", "operations", "review", "--serve", "--as", "anna", "--outputs", str(folder / "outputs.json")]
        aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
        self.process = subprocess.Popen(
            [sys.executable, *words, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **aws},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def serve(stack: Stacked, endpoint: str, browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(port: int = 0) -> Server:
        servers.append(Server(stack, endpoint, tmp_path, port))
        return servers[-1]

    yield start
    # a page that is still open would go on asking a server that is gone
    browser.get("about:blank")
    errors(browser)
    for server in servers:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    assert chromium and driver, "this test needs Chromium and its driver: .ci/prepare installs them"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield found
    found.quit()


def until(browser: webdriver.Chrome, true: Callable[[], Any]) -> Any:
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.1).until(lambda _: true())


def text(browser: webdriver.Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def shows(browser: webdriver.Chrome, part: str) -> None:
    until(browser, lambda: part in text(browser, "key"))


def is_loaded(browser: webdriver.Chrome) -> bool:
    return browser.execute_script("const i = document.getElementById('photo'); return i.complete && i.naturalWidth > 0")


def press(browser: webdriver.Chrome, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def errors(browser: webdriver.Chrome) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_queue_is_answered_by_keyboard_alone(stack, serve, browser):
    for name in ("a.png", "b.png", "c.png", "d.png"):
        stack.waits(name)
    browser.get(serve().address)
    said = []
    for key in ("1", "2", "n", "u"):
        until(browser, lambda: text(browser, "key") and is_loaded(browser))
        shown = text(browser, "key")
        press(browser, key)
        until(browser, lambda shown=shown: text(browser, "key") != shown)
        said.append(text(browser, "said"))
    assert said == ["bicycle: bay 1.", "motorcycle: bay 2.", "neither.", "can't tell."]
    until(browser, lambda: "Nothing waits" in text(browser, "instead"))
    assert sorted(row["answer"] for row in stack.rows()) == ["bicycle", "motorcycle", "neither", "unclear"]
    assert all(row["answered_by"] == "anna" for row in at_least_one(stack.rows()))
    assert {event["label"] for event in stack.heard_events()} == {"bicycle", "motorcycle"}
    assert errors(browser) == []


def test_every_button_can_be_reached_and_pressed_with_the_tab_key(stack, serve, browser):
    stack.waits("a.png")
    browser.get(serve().address)
    shows(browser, "a.png")
    reached = []
    for _ in range(4):
        press(browser, Keys.TAB)
        reached.append(browser.switch_to.active_element.get_attribute("data-answer"))
    assert reached == ["bicycle", "motorcycle", "neither", "unclear"]
    press(browser, Keys.ENTER)
    until(browser, lambda: stack.rows())
    assert stack.rows()[0]["answer"] == "unclear"


def test_the_last_answer_is_taken_back_with_a_key(stack, serve, browser):
    stack.waits("a.png")
    browser.get(serve().address)
    shows(browser, "a.png")
    press(browser, "2")
    until(browser, lambda: "Nothing waits" in text(browser, "instead"))
    press(browser, "z")
    shows(browser, "a.png")
    assert "answer" not in stack.rows()[0]
    press(browser, "1")
    until(browser, lambda: stack.rows()[0].get("answer") == "bicycle")


def test_two_windows_at_once_answer_each_photo_once(stack, serve, browser):
    for number in range(6):
        stack.waits(f"{number}.png")
    address = serve().address
    first = browser.current_window_handle
    browser.get(address)
    browser.switch_to.new_window("window")
    second = browser.current_window_handle
    browser.get(address)
    for number in range(6):
        browser.switch_to.window((first, second)[number % 2])
        browser.refresh()
        if until(browser, lambda: text(browser, "key") or "Nothing waits" in text(browser, "instead")) is True:
            continue
        shown = text(browser, "key")
        press(browser, "1")
        until(browser, lambda shown=shown: text(browser, "key") != shown)
    browser.close()
    browser.switch_to.window(first)
    until(browser, lambda: press(browser, "1") or len(stack.rows()) == 6)
    until(browser, lambda: "Nothing waits" in text(browser, "instead"))
    assert [row["answer"] for row in stack.rows()] == ["bicycle"] * 6


def test_a_server_that_is_killed_in_mid_answer_loses_nothing(stack, serve, browser):
    stack.waits("a.png")
    stack.waits("b.png")
    server = serve()
    browser.get(server.address)
    until(browser, lambda: text(browser, "key"))
    press(browser, "1")
    until(browser, lambda: len(stack.rows()) == 1)
    server.end(signal.SIGKILL)
    assert stack.heard_events() == [] and stack.left() == 2
    press(browser, "2")
    until(browser, lambda: "does not answer" in text(browser, "error"))
    assert len(stack.rows()) == 1
    again = serve(server.port)
    # what the dead server held comes back when its time is over, which is now
    stack.let_minutes_pass()
    browser.get(again.address)
    until(browser, lambda: text(browser, "key"))
    assert len(stack.rows()) == 1, "the photo that has an answer is not asked for again"
    press(browser, "2")
    until(browser, lambda: len(stack.rows()) == 2)
    assert again.end() == 0
    assert sorted(event["label"] for event in stack.heard_events()) == ["bicycle", "motorcycle"]
    assert stack.left() == 0 and len(stack.corrections()) == 4


def test_a_photo_that_has_expired_is_said_to_be_gone(stack, serve, browser):
    key = stack.waits("a.png")
    for version in stack.s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"]:
        stack.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version["VersionId"])
    browser.get(serve().address)
    until(
        browser,
        lambda: text(browser, "instead") == "The photo is no longer in the bucket: it has expired or was deleted.",
    )
    press(browser, "u")
    until(browser, lambda: stack.rows())


def test_a_photo_that_is_decided_while_it_is_shown_is_said_to_be_and_the_next_one_comes(stack, serve, browser):
    key = stack.waits("a.png", error="AccessDenied")
    stack.waits("b.png")
    browser.get(serve().address)
    shows(browser, "a.png")
    names = {"object": f"{BUCKET}/{key}", "version": stack.s3.head_object(Bucket=BUCKET, Key=key)["VersionId"]}
    texts = names | {"decision": "accepted", "execution": "arn:of-the-replay"}
    stack.dynamodb.put_item(TableName="decisions", Item={name: {"S": text} for name, text in texts.items()})
    press(browser, "1")
    until(browser, lambda: text(browser, "error") == f"{key} was decided meanwhile, and its driver told")
    shows(browser, "b.png")
    assert stack.left() == 1 and "answer" not in stack.rows()[0]


def test_a_file_that_is_no_photo_is_said_to_be_none(stack, serve, browser):
    stack.waits("a.png", data=b"%PDF-1.7 no photo", error="InvalidImage")
    browser.get(serve().address)
    until(browser, lambda: "can't be shown" in text(browser, "instead"))
    assert "InvalidImage" in text(browser, "opinion")


def test_names_that_look_like_html_are_text(stack, serve, browser):
    stack.waits("<img src=x onerror=alert(1)>.png", message="<script>alert(2)</script>", error="<b>Odd</b>")
    browser.get(serve().address)
    shows(browser, "<img src=x onerror=alert(1)>.png")
    assert "<script>alert(2)</script>" in text(browser, "opinion")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#opinion script, #key img, #opinion b")) == 0


def test_the_page_fits_a_phone(stack, serve, browser):
    stack.waits("a-photo-with-a-very-long-name-that-nobody-would-type-0123456789-0123456789.png")
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        browser.get(serve().address)
        until(browser, lambda: text(browser, "key") and is_loaded(browser))
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        buttons = browser.find_elements(By.CSS_SELECTOR, "#answers button")
        assert len(buttons) == 4
        for button in buttons:
            assert button.rect["height"] >= 44, "a thumb needs 44 pixels"
            assert button.rect["y"] + button.rect["height"] <= 844, "answered without scrolling"
        buttons[0].click()
        until(browser, lambda: stack.rows())
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_photo_that_is_dropped_is_followed_to_its_end(stack, serve, browser, tmp_path):
    photo = tmp_path / "mine.png"
    photo.write_bytes(stack.s3.get_object(Bucket=BUCKET, Key=stack.photo("there.png")[0])["Body"].read())
    browser.get(serve().address)
    browser.find_element(By.ID, "file").send_keys(str(photo))
    until(browser, lambda: "its execution starts" in text(browser, "tried"))
    (arrived,) = (
        each for each in stack.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if each["Key"].endswith("/mine.png")
    )
    event = json.dumps({"s3_bucket": BUCKET, "s3_key": arrived["Key"], "image_data": ""})
    stack.stepfunctions.start_execution(stateMachineArn=stack.machine, input=event)
    # moto's executions go on until they are stopped
    arn = stack.stepfunctions.list_executions(stateMachineArn=stack.machine)["executions"][0]["executionArn"]
    stack.stepfunctions.stop_execution(executionArn=arn, error="InvalidImage", cause="broken")
    until(browser, lambda: "fault" in text(browser, "tried"))
    until(browser, lambda: "mine.png" in text(browser, "decisions"))


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/", "GET", {"Host": "evil.example"}, 403),
        ("/", "GET", {"Host": "127.0.0.1.evil.example"}, 403),
        ("/api/undo/windowofanna", "POST", {}, 403),
        ("/api/undo/windowofanna", "POST", {"Origin": "https://evil.example"}, 403),
        ("/api/waiting/..", "GET", {}, 422),
        ("/photo?receipt=nobody", "GET", {}, 422),
        ("/static/../server.py", "GET", {}, 404),
    ],
)
def test_other_hosts_and_origins_and_folders_are_refused(serve, path, method, headers, status):
    request = urllib.request.Request(serve().address.rstrip("/") + path, method=method, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == status
    assert "default-src 'none'" in refused.value.headers["Content-Security-Policy"]


def test_the_page_s_token_opens_it_for_its_own_scripts_alone(serve):
    address = serve().address
    page = urllib.request.urlopen(address).read().decode()
    token = re.search('data-token="([^"]+)"', page)
    assert token is not None
    request = urllib.request.Request(
        f"{address}api/undo/windowofanna",
        method="POST",
        headers={"X-Scones-Token": token[1], "Origin": "https://evil.example"},
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)


def test_a_port_that_is_taken_is_said_in_one_line(serve, stack, endpoint, tmp_path):
    port = serve().port
    words = ["-m", "operations", "review", "--serve", "--port", str(port), "--outputs", str(tmp_path / "outputs.json")]
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
    ended = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env={**os.environ, **aws}, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert (
        ended.stderr.splitlines()[-1] == f"error: port {port} of 127.0.0.1 can't be had: choose another --port, or none"
    )
