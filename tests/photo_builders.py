"""Photos of every kind, and what Lambda and AWS would hand to a function."""

from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from PIL import Image

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def quarters(width: int = 64, height: int = 64) -> Image.Image:
    """Red, green / blue, white: so that every turn shows."""
    picture = Image.new("RGB", (width, height), WHITE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    output = BytesIO()
    picture.save(output, kind, **options)
    return output.getvalue()


def decoded(png: bytes) -> Image.Image:
    picture = Image.open(BytesIO(png))
    picture.load()
    return picture


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """The pixels in the middle of each quarter: upper left, upper right, lower left, lower right."""
    near, far = picture.width // 4, picture.width * 3 // 4
    return [picture.getpixel(at) for at in ((near, near), (far, near), (near, far), (far, far))]


def is_near(pixel: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(pixel, wanted, strict=True))


def lambda_context() -> SimpleNamespace:
    """What Powertools reads of Lambda's context object."""
    return SimpleNamespace(
        function_name="a-function",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:a-function",
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    )


class _Raw(BytesIO):
    def stream(self, amount: int = 1024, decode_content: bool | None = None):
        while chunk := self.read(amount):
            yield chunk


def answering(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Callable[..., AWSResponse]:
    """A `before-send` hook of botocore: this answer comes off the wire, and botocore parses it."""

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return AWSResponse(request.url, status, headers or {}, _Raw(body))

    return answer
