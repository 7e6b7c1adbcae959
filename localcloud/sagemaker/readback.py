"""What SageMaker and Application Auto Scaling tell of their records where moto tells something else, or nothing.

Whoever compares what is there with what was asked for, as Pulumi's provider does, must find no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCALING = "AnyScaleFrontendService"
"""How requests of Application Auto Scaling name their service."""
TAGGING = ("AddTags", "ListTags", "DeleteTags")


class Readback:
    """Keeps what moto drops, and completes its answers; `action` is the API's, `request` its parameters."""

    def __init__(self) -> None:
        self.isolated: set[str] = set()
        self.deployments: dict[str, Mapping[str, Any]] = {}
        self.scaling_tags: dict[str, dict[str, str]] = {}

    def prepare(self, action: str, request: Mapping[str, Any], records: Any) -> None:
        """Make moto's records ready for a request: a tag that is there already gets another value, and no twin.

        Args:
            action: of SageMaker's API.
            request: its parameters.
            records: moto's.

        Raises:
            LookupError: what is to be tagged is not there.
        """
        if action not in TAGGING:
            return
        arn = str(request["ResourceArn"])
        try:
            record = records._get_resource_from_arn(arn)
        except (ValueError, AttributeError):
            record = None
        if record is None:
            raise LookupError(arn)
        if action == "AddTags":
            new = {tag["Key"] for tag in request["Tags"]}
            tags: list[dict[str, str]] = record.tags or []
            record.tags = [tag for tag in tags if tag["Key"] not in new]

    def scaling(self, action: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer of Application Auto Scaling to a request about tags; None for any other."""
        tags = self.scaling_tags.setdefault(str(request.get("ResourceARN")), {})
        if action == "TagResource":
            tags.update(request["Tags"])
        elif action == "UntagResource":
            for key in request["TagKeys"]:
                tags.pop(key, None)
        elif action == "ListTagsForResource":
            return {"Tags": tags}
        else:
            return None
        return {}

    def complete(self, action: str, request: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Moto's answer to a request that it took, as AWS gives it."""
        if action == "RegisterScalableTarget" and request.get("Tags"):
            self.scaling_tags[answer["ScalableTargetARN"]] = dict(request["Tags"])
        elif action == "CreateModel":
            isolated, name = bool(request.get("EnableNetworkIsolation")), request["ModelName"]
            (self.isolated.add if isolated else self.isolated.discard)(name)
        elif action == "DescribeModel":
            answer["EnableNetworkIsolation"] = request["ModelName"] in self.isolated
            return {key: value for key, value in answer.items() if value not in ({}, [])}
        elif action in ("CreateEndpoint", "UpdateEndpoint"):
            self.deployments.pop(request["EndpointName"], None)
            if request.get("DeploymentConfig"):
                self.deployments[request["EndpointName"]] = request["DeploymentConfig"]
        elif action == "DescribeEndpoint" and request["EndpointName"] in self.deployments:
            answer["LastDeploymentConfig"] = self.deployments[request["EndpointName"]]
        return answer
