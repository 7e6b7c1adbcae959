"""Where AWS keeps the image of the built-in image classification algorithm."""

from __future__ import annotations

import difflib
import re

from contract.errors import UserError

ALGORITHM = "image-classification"


def image_uri(region: str) -> str:
    """The registry address of the algorithm's training and hosting image in `region`.

    The addresses are those of the SageMaker SDK, which takes two seconds to load and is therefore loaded
    only here. Raises UserError for a region where the algorithm is not offered.
    """
    from sagemaker.core import image_uris  # pyright: ignore[reportMissingTypeStubs]

    if not region:
        raise UserError("aws:region is missing: set it in the stack's file, such as aws:region: us-east-1")
    try:
        return str(image_uris.retrieve(framework=ALGORITHM, region=region))  # pyright: ignore[reportUnknownArgumentType]
    except ValueError as error:
        known = re.findall(r"[a-z]+(?:-[a-z]+)+-[0-9]+", str(error).rpartition(":")[2])
        near = difflib.get_close_matches(region, known, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
        raise UserError(f"aws:region must be one where SageMaker offers {ALGORITHM}, got {region!r}: {hint}") from error
