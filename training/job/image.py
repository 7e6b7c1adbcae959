"""Where AWS keeps the image of the built-in image classification algorithm."""

from __future__ import annotations

from contract.errors import UserError

ALGORITHM = "image-classification"


def image_uri(region: str) -> str:
    """The registry address of the algorithm's training and hosting image in `region`.

    The addresses are those of the SageMaker SDK, which takes two seconds to load and is therefore loaded
    only here. Raises UserError for a region where the algorithm is not offered.
    """
    from sagemaker.core import image_uris  # pyright: ignore[reportMissingTypeStubs]

    try:
        return str(image_uris.retrieve(framework=ALGORITHM, region=region))  # pyright: ignore[reportUnknownArgumentType]
    except ValueError as error:
        raise UserError(
            f"aws:region must be one where SageMaker offers {ALGORITHM}, got {region!r} ({error})"
        ) from error
