"""The resources that the program registers, without creating any: what `graph` prints."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.output import Unknown

from localcloud.functions import READ_OUTPUTS
from localcloud.program import Registration, run_program

ACCOUNT = "123456789012"


class _Planning:
    """Answers with outputs that look real, or, in a preview, with none at all."""

    def __init__(self, preview: bool) -> None:
        self.preview = preview

    def create(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """An id and outputs in the provider's shape; nothing but the inputs in a preview."""
        if self.preview:
            return "", {}
        service = registration.type.split(":")[1].split("/")[0]
        name = registration.inputs.get("name") or registration.name
        arn = f"arn:aws:{service}:us-east-1:{ACCOUNT}:{name}"
        made = {
            "arn": arn,
            "name": name,
            "qualifiedArn": f"{arn}:1",
            "version": "1",
            "url": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}",
            "bucket": name,
            "trainingJobStatus": "Completed",
        }
        return name, {**made, **registration.inputs}

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who and where we would be; no stack is up, and nothing can be read."""
        if token == READ_OUTPUTS:
            return {"outputs": {}}
        return {"accountId": ACCOUNT, "region": "us-east-1", "name": "us-east-1", "partition": "aws"}


def graph(
    root: Path, stack: str, overrides: Mapping[str, str] | None = None, *, preview: bool = False
) -> list[dict[str, Any]]:
    """Every resource of a stack, sorted by URN: the same program and configuration give the same list.

    Raises:
        UserError: the program refuses its configuration, or can't be run.
    """
    run = run_program(root, stack, _Planning(preview), overrides=overrides, preview=preview)
    entries = [
        {
            "urn": registration.urn,
            "type": registration.type,
            "name": registration.name,
            "parent": registration.parent,
            "custom": registration.custom,
            "inputs": plain(registration.inputs, root),
            "dependencies": list(registration.dependencies),
        }
        for registration in run.registrations
    ]
    return sorted(entries, key=lambda entry: str(entry["urn"]))


def plain(value: Any, root: Path) -> Any:
    """A registered input as JSON has it: assets by their hash, whole numbers as such, the unknown by name."""
    if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        path = (root / Path(value.path)).resolve()
        name = path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else path.name
        return {"asset": str(name), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if isinstance(value, pulumi.StringAsset):
        return {"asset": "text", "sha256": hashlib.sha256(value.text.encode()).hexdigest()}
    if isinstance(value, pulumi.AssetArchive):
        return {"archive": {path: plain(asset, root) for path, asset in sorted(value.assets.items())}}
    if isinstance(value, Mapping):
        return {key: plain(item, root) for key, item in sorted(cast("Mapping[str, Any]", value).items())}
    if isinstance(value, list):
        return [plain(item, root) for item in cast("list[Any]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return "unknown"


def is_known(value: Any) -> bool:
    """Whether nothing in a registered input is unknown, as it may be in a preview."""
    if isinstance(value, Mapping):
        return all(map(is_known, cast("Mapping[str, Any]", value).values()))
    if isinstance(value, list):
        return all(map(is_known, cast("list[Any]", value)))
    return not isinstance(value, Unknown)
