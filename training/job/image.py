"""Where AWS keeps the image of the built-in image classification algorithm."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from botocore.loaders import create_loader

from contract.errors import UserError

ALGORITHM = "image-classification"
VERSION = "1"


def image_uri(region: str) -> str:
    """The registry address of the algorithm's training and hosting image in `region`.

    The accounts are those of the SageMaker SDK's table, which is read as the file that it is: the SDK takes a second
    to load.

    Raises:
        UserError: the algorithm is not offered in this region.
    """
    if not region:
        raise UserError("aws:region is missing: set it in the stack's file, such as aws:region: us-east-1")
    offered = accounts()
    if region not in offered:
        near = difflib.get_close_matches(region, offered, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(offered))}"
        raise UserError(f"aws:region must be one where SageMaker offers {ALGORITHM}, got {region!r}: {hint}")
    return f"{offered[region]}.dkr.ecr.{region}.{_domain(region)}/{ALGORITHM}:{VERSION}"


def accounts() -> Mapping[str, str]:
    """The account whose registry holds the image, by region."""
    path = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{ALGORITHM}.json")
    table: dict[str, Any] = json.loads(Path(str(path)).read_bytes())
    return table["versions"][VERSION]["registries"]


def _domain(region: str) -> str:
    """The domain of AWS in the region's partition."""
    partitions: list[dict[str, Any]] = create_loader().load_data("partitions")["partitions"]  # pyright: ignore[reportUnknownVariableType]
    return next(each["outputs"]["dnsSuffix"] for each in partitions if re.match(each["regionRegex"], region))
