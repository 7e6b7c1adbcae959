"""CodeBuild: a project, whose builds `localcloud/builds.py` runs on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.adapter import Created, Request, adapter, whole
from localcloud.cloud import ACCOUNT


@adapter(
    "aws:codebuild/project:Project",
    takes=("name", "description", "serviceRole", "source", "artifacts", "environment", "buildTimeout", "tags"),
    replaces=("name",),
    ignores={
        "logsConfig": "a build's lines are in the log group that is named after its project",
        "queuedTimeout": "builds wait for nothing here",
        "concurrentBuildLimit": "the emulator starts every build at once; the same corrections are proposed once",
        "encryptionKey": "nothing is encrypted here",
    },
)
def project(request: Request) -> Created:
    name = request["name"]
    request.cloud.client("codebuild").create_project(name=name, **_wanted(request))
    arn = f"arn:aws:codebuild:{request.cloud.region}:{ACCOUNT}:project/{name}"
    return name, {"id": name, "name": name, "arn": arn}


@project.updates
def update_project(request: Request) -> Mapping[str, Any]:
    request.cloud.client("codebuild").update_project(name=request.id, **_wanted(request))
    return {}


@project.deletes
def delete_project(request: Request) -> None:
    request.cloud.client("codebuild").delete_project(name=request.id)


def _wanted(request: Request) -> Any:
    tags = [{"key": key, "value": value} for key, value in request.get("tags", {}).items()]
    return {
        "description": request["description"],
        "serviceRole": request["serviceRole"],
        "source": request["source"],
        "artifacts": request["artifacts"],
        "environment": request["environment"],
        "timeoutInMinutes": whole(request["buildTimeout"]),
        "tags": tags,
    }
