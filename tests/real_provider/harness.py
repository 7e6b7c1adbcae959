"""Applies a translated stack with the real provider, each step bounded in time."""

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.adapter import Request
from localcloud.adapters.sagemaker import training_job
from localcloud.cloud import Cloud
from localcloud.registration import Registration
from tests.real_provider.terraform import MARK

VERSION = "5.100.0"
ONLY_THE_MIRROR = """provider_installation {{
  filesystem_mirror {{
    path = "{mirror}"
    include = ["*/*"]
  }}
}}
"""


class Terraform:
    """Terraform in a folder of its own, where nothing but the mirror is looked for."""

    def __init__(self, folder: Path, mirror: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "terraform.rc"
        settings.write_text(ONLY_THE_MIRROR.format(mirror=mirror))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_"))}
        self.environment = {**kept, "TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1"}
        self.write({}, {})
        self.run("init", seconds=120)

    def write(self, provider: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
        """Replace the configuration."""
        required = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}}
        blocks = {"provider": {"aws": provider}, "resource": resources} if resources else {}
        document = {"terraform": required, **blocks}
        (self.folder / "main.tf.json").write_text(json.dumps(document, indent=1))

    def run(self, *words: str, seconds: float) -> str:
        """Run a command of terraform's and return what it printed."""
        finished = subprocess.run(
            ["terraform", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
            timeout=seconds,
        )  # fmt: skip
        if finished.returncode:
            raise AssertionError(f"terraform {' '.join(words)}: {finished.stdout[-2000:]}\n{finished.stderr[-4000:]}")
        return finished.stdout

    def schemas(self) -> dict[str, Any]:
        """The provider's resources by type."""
        (printed,) = json.loads(self.run("providers", "schema", "-json", seconds=120))["provider_schemas"].values()
        return printed["resource_schemas"]

    def apply(self, *targets: str, seconds: float = 400) -> None:
        """Apply, all of it or the targets with what they need."""
        chosen = [f"-target={target}" for target in targets]
        self.run("apply", "-no-color", "-auto-approve", "-input=false", *chosen, seconds=seconds)

    def plan(self, seconds: float = 240) -> dict[str, list[str]]:
        """What an apply would do: actions by address, those without a change left out."""
        self.run("plan", "-no-color", "-input=false", "-out=plan", seconds=seconds)
        changes = json.loads(self.run("show", "-json", "plan", seconds=60))["resource_changes"]
        return {
            each["address"]: each["change"]["actions"] for each in changes if each["change"]["actions"] != ["no-op"]
        }

    def state(self) -> dict[str, dict[str, Any]]:
        """The attributes of what is there, by address."""
        shown = json.loads(self.run("show", "-json", seconds=60))
        found = shown.get("values", {}).get("root_module", {}).get("resources", [])
        return {each["address"]: each["values"] for each in found}

    def destroy(self, seconds: float = 400) -> None:
        """Destroy all of it."""
        self.run("destroy", "-no-color", "-auto-approve", "-input=false", seconds=seconds)


def resolved(value: Any, state: Mapping[str, Mapping[str, Any]]) -> Any:
    """An input with every mark replaced by what is there."""
    if isinstance(value, Mapping):
        return {key: resolved(item, state) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, state) for item in value]
    if not isinstance(value, str):
        return value

    def there(match: re.Match[str]) -> str:
        address, _, attribute = (match[1] or match[2]).rpartition(".")
        return str(state[address][attribute])

    return MARK.sub(there, value)


def train(job: Registration, state: Mapping[str, Mapping[str, Any]], cloud: Cloud, seconds: float = 180) -> None:
    """Create the training job that this provider does not have, as the local cloud does, and wait for it."""
    inputs = {key: resolved(value, state) for key, value in job.inputs.items() if value is not None}
    name, _ = training_job.create(Request(cloud, job.name, inputs, job.name))
    client = cloud.client("sagemaker")
    deadline = time.monotonic() + seconds
    while (record := client.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] == "InProgress":
        assert time.monotonic() < deadline, f"{name} is still in progress after {seconds} s"
        time.sleep(0.2)
    assert record["TrainingJobStatus"] == "Completed", record.get("FailureReason")
