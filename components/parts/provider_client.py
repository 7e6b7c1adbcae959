"""boto3's clients as Pulumi's provider is configured: a hook must ask the very account that the provider changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import boto3
import botocore.session
import pulumi
from botocore.loaders import create_loader

KEYS = {
    "profile": "profile_name",
    "accessKey": "aws_access_key_id",
    "secretKey": "aws_secret_access_key",
    "token": "aws_session_token",
}
"""The provider's settings of who asks, and boto3's names for them."""


def provider_clients(region: str) -> Callable[[str], Any]:
    """Makes clients with the stack's `aws:` credentials, profile and endpoints; boto3's own where it names none.

    The settings are read now, while the program runs; a client is made when a hook asks for it. A role that the
    provider assumes (`aws:assumeRoles`) is not taken.

    Args:
        region: the stack's.

    Returns:
        A client by its service's name, as boto3 has it; `aws:endpoints` has it without hyphens.
    """
    config = pulumi.Config("aws")
    known: dict[str, Any] = {ours: value for key, ours in KEYS.items() if (value := config.get(key))}
    configured = config.get_object("endpoints")
    listed = cast("list[dict[str, str]]", configured) if isinstance(configured, list) else []

    @cache
    def session() -> boto3.Session:
        core: Any = botocore.session.Session()
        core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
        return boto3.Session(botocore_session=core, region_name=region, **known)

    def client(service: str) -> Any:
        key = service.replace("-", "")
        endpoint = next((each[key] for each in listed if key in each), None)
        return cast("Any", session().client)(service, endpoint_url=endpoint)

    return client


@cache
def _loader(paths: str | None) -> Any:
    """One for all: each reads the descriptions of AWS's services anew, a tenth of a second of work a session."""
    return create_loader(paths)
