"""handlers.aws: what a photo waits for holds nothing that it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from handlers.aws import quick_client
from tests.photo_builders import answering

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("entry", ["serialize", "classify", "filter", "observe.handler"])
def test_a_cold_start_loads_neither_boto3_nor_what_few_photos_need(entry: str):
    code = f"import sys, handlers.{entry}; print(*({{'boto3', 's3transfer', 'pi_heif'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_quick_client_names_itself_in_a_word_and_gives_up_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = quick_client("s3", connect_timeout=3, read_timeout=15, attempts=2)
    agents: list[object] = []

    def answer(request, **_):
        agents.append(request.headers["User-Agent"])
        return answering(500)(request)

    client.meta.events.register_first("before-send.s3", answer)
    with pytest.raises(client.exceptions.ClientError):
        client.get_object(Bucket="photos", Key="a.png")
    # Powertools, once it is loaded, adds its own name
    assert [bytes(agent).split()[0] for agent in agents] == [b"Scones"] * 2
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (3, 15)
