"""What a function's code asks AWS for, read from its source: every call of a client's method that it carries."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import botocore.session
from botocore import xform_name

from components.parts.code_package import modules_of

ROOT = Path(__file__).resolve().parents[2]
SERVICES = (
    *("s3", "sagemaker", "sagemaker-runtime", "cloudwatch", "events", "sqs", "sns", "dynamodb", "stepfunctions"),
    *("lambda", "logs", "kms", "sts", "codebuild", "ssm"),
)
PREFIXES = {"sagemaker-runtime": "sagemaker", "stepfunctions": "states"}
ALSO = {
    # a HEAD is a GetObject to IAM; whether an absent object is said to be absent depends on ListBucket (S3 User Guide)
    "head_object": ("s3:GetObject", "s3:ListBucket"),
    "get_object": ("s3:GetObject", "s3:ListBucket"),
    "list_objects_v2": ("s3:ListBucket",),
    "head_bucket": ("s3:ListBucket",),
}
"""Methods whose action is not called as they are (Service Authorization Reference)."""
OF_A_VERSION = "s3:GetObjectVersion"
SIGNED = re.compile(r"SageMaker\.(\w+)")
"""A request that is signed by hand names its action so."""


@dataclass(frozen=True)
class Call:
    """A call in a module."""

    action: str
    place: str


@functools.cache
def actions() -> dict[str, str]:
    """Method of a client -> action of IAM, for every operation of the services."""
    found: dict[str, str] = {}
    session = botocore.session.get_session()
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), f"{PREFIXES.get(service, service)}:{operation}")
    return found


def calls_of(entry: str) -> Iterator[Call]:
    """The calls of a function, in every module that its archive holds."""
    for path in modules_of(entry):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            for action in _actions(node):
                yield Call(action, f"{path}:{getattr(node, 'lineno', 0)}")


def _actions(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := SIGNED.fullmatch(node.value)):
        yield f"sagemaker:{found[1]}"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    method = node.func.attr
    if method in ("get_paginator", "get_waiter") and node.args and isinstance(node.args[0], ast.Constant):
        method = str(node.args[0].value)
    elif not node.keywords or any(keyword.arg and keyword.arg[0].islower() for keyword in node.keywords):
        return  # a client's method takes arguments by name, and their names begin with capitals
    if method in ALSO:
        yield from ALSO[method]
        if any(keyword.arg == "VersionId" for keyword in node.keywords):
            yield OF_A_VERSION
    elif method in actions():
        yield actions()[method]
