"""The page on which people answer: a small web application for this machine's browsers alone."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from contract.decisions import NEITHER, UNCLEAR, word_for
from contract.errors import UserError
from operations.review import photos
from operations.review.answers import AlreadyAnswered, DecidedMeanwhile
from operations.review.desk import UNDO_SECONDS, Desk
from operations.review.flow import Flow
from operations.review.queue import Waiting, age

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOSTS = ("127.0.0.1", "localhost")
LARGEST_UPLOAD = 200_000_000
"""Bytes of a photo that is dropped on the page; the workflow has its own, smaller limit, and tells it."""
POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"),
    )
)
"""The page runs its own script alone, and asks nobody else for anything (Content Security Policy Level 3)."""
KEYS_OF_OTHERS = {NEITHER: "n", UNCLEAR: "u"}
WORDS_OF_OTHERS = {NEITHER: "neither", UNCLEAR: "can't tell"}


def create_app(desk: Desk, flow: Flow, s3: S3Client, *, stack: str, by: str) -> Flask:
    """The application.

    Args:
        desk: takes and records.
        flow: follows photos that are dropped on the page.
        s3: reads photos.
        stack: what the page calls the stack.
        by: who answers.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_UPLOAD
    # a page of another site can make a browser send a form, but neither read this one's pages nor set this header
    token = secrets.token_urlsafe(16)

    @app.before_request
    def only_own_pages() -> None:  # pyright: ignore[reportUnusedFunction]
        if _host() not in HOSTS:
            abort(403, f"this page is served as {' or '.join(HOSTS)} only, not as {request.host}")
        if request.method == "POST":
            origin = request.headers.get("Origin")
            if origin is not None and origin != request.host_url.rstrip("/"):
                abort(403, f"requests of {origin} are refused")
            if not secrets.compare_digest(request.headers.get("X-Scones-Token", "").encode(), token.encode()):
                abort(403, "this page is of an earlier start of the server: load it again")

    @app.after_request
    def closed(response: Response) -> Response:  # pyright: ignore[reportUnusedFunction]
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(AlreadyAnswered)
    @app.errorhandler(DecidedMeanwhile)
    def answered(error: AlreadyAnswered | DecidedMeanwhile) -> tuple[Response, int]:  # pyright: ignore[reportUnusedFunction]
        return jsonify(error=str(error)), 409

    @app.errorhandler(photos.Gone)
    def gone(error: photos.Gone) -> tuple[Response, int]:  # pyright: ignore[reportUnusedFunction]
        return jsonify(error=str(error)), 410

    @app.errorhandler(UserError)
    def mistaken(error: UserError) -> tuple[Response, int]:  # pyright: ignore[reportUnusedFunction]
        return jsonify(error=str(error)), 422

    @app.errorhandler(ClientError)
    @app.errorhandler(BotoCoreError)
    def unreachable(error: Exception) -> tuple[Response, int]:  # pyright: ignore[reportUnusedFunction]
        return jsonify(error=f"AWS did not do it: {error}"), 502

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:  # pyright: ignore[reportUnusedFunction]
        return jsonify(error=error.description or error.name), error.code or 500

    @app.get("/favicon.ico")
    def no_icon() -> tuple[str, int]:  # pyright: ignore[reportUnusedFunction]
        return "", 204

    @app.get("/")
    def page() -> str:  # pyright: ignore[reportUnusedFunction]
        return render_template(
            "review.html.j2", stack=stack, by=by, token=token, answers=_buttons(desk), undo_seconds=UNDO_SECONDS
        )

    @app.get("/api/waiting/<window>")
    def waiting(window: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        at_hand = desk.at_hand(_checked(window))
        return jsonify(photos=[_as_json(each) for each in at_hand], counts=dataclasses.asdict(desk.counts()))

    @app.get("/photo")
    def photo() -> Response:  # pyright: ignore[reportUnusedFunction]
        held = desk.find(request.args.get("receipt", ""))
        if held is None:
            raise UserError("this photo is not at hand any more")
        response = Response(photos.to_jpeg(photos.fetch(s3, held)), mimetype="image/jpeg")
        response.headers["Cache-Control"] = "private, max-age=600"
        return response

    @app.post("/api/answer/<window>")
    def answer(window: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        given = _json()
        recorded = desk.answer(
            _checked(window),
            str(given.get("receipt", "")),
            str(given.get("answer", "")),
            by,
            _number(given.get("seconds")),
        )
        return jsonify(answer=recorded.said, bay=desk.stack.loading_bays.get(recorded.said))

    @app.post("/api/undo/<window>")
    def undo(window: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        return jsonify(photo=_as_json(desk.undo(_checked(window))))

    @app.get("/api/decisions")
    def decisions() -> Response:  # pyright: ignore[reportUnusedFunction]
        latest = flow.latest()
        return jsonify(
            decisions=[
                {
                    **dataclasses.asdict(each),
                    "at": each.at.isoformat(),
                    "word": each.outcome and word_for(each.outcome, 1),
                }
                for each in latest
            ]
        )

    @app.post("/api/photos")
    def send() -> Response:  # pyright: ignore[reportUnusedFunction]
        file = request.files.get("photo")
        if file is None:
            raise UserError("the request holds no file called photo")
        return jsonify(key=flow.send(file.filename or "", file.read()))

    @app.get("/api/steps")
    def steps() -> Response:  # pyright: ignore[reportUnusedFunction]
        return jsonify(steps=flow.steps(request.args.get("execution", "")))

    return app


def _buttons(desk: Desk) -> list[Mapping[str, str]]:
    """What can be said, with the key for it: digits for the classes."""
    buttons: list[Mapping[str, str]] = []
    for number, said in enumerate(desk.stack.answers, 1):
        key = KEYS_OF_OTHERS.get(said) or (str(number) if number <= 9 else "")
        bay = desk.stack.loading_bays.get(said, "")
        buttons.append({"said": said, "word": WORDS_OF_OTHERS.get(said, said), "key": key, "bay": bay})
    return buttons


def _as_json(waiting: Waiting) -> dict[str, Any]:
    return {
        "receipt": waiting.receipt,
        "key": waiting.key,
        "why": word_for(waiting.outcome, 1),
        "outcome": waiting.outcome,
        "opinion": waiting.opinion,
        "inferences": waiting.inferences,
        "since": waiting.sent.isoformat(),
        "age": age(datetime.now(UTC) - waiting.sent),
    }


def _host() -> str | None:
    """The name by which this page was asked for; None for what is none."""
    try:
        return urlsplit(f"//{request.host}").hostname
    except ValueError:
        return None


def _number(value: object) -> float:
    """A number; -1 for what is none, or one that no float holds."""
    try:
        return float(value) if isinstance(value, int | float) else -1
    except OverflowError:
        return -1


def _json() -> dict[str, object]:
    try:
        document: object = request.get_json(silent=True)
    except RecursionError:
        document = None
    if not isinstance(document, dict):
        raise UserError("the request must hold a JSON object")
    return cast("dict[str, object]", document)


def _checked(window: str) -> str:
    if not (8 <= len(window) <= 64 and window.isalnum()):
        raise UserError(f"a window's name has 8 to 64 letters and digits, got {window!r:.80}")
    return window
