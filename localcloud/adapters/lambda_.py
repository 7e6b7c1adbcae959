"""Lambda: functions that run from their own archives, as `localcloud/emulator.py` has them run."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from localcloud.adapter import Created, Request, adapter, whole
from localcloud.archives import archive_files, zipped

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef


@adapter(
    "aws:lambda/layerVersion:LayerVersion",
    takes=("layerName", "code", "compatibleRuntimes", "compatibleArchitectures", "description"),
)
def layer_version(request: Request) -> Created:
    # built for another processor and Python: it is checked and published, but this machine can't load it
    path = request.cloud.root / Path(request["code"].path)
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is not a zip")
    answer = request.cloud.client("lambda").publish_layer_version(
        LayerName=request["layerName"],
        Description=request.get("description", ""),
        Content={"ZipFile": path.read_bytes()},
        CompatibleRuntimes=request["compatibleRuntimes"],
        CompatibleArchitectures=request["compatibleArchitectures"],
    )
    request.cloud.say(
        f"layer {path.name}: published; the functions use this environment's packages of the same versions instead"
    )
    arn = answer["LayerVersionArn"]
    return arn, {"arn": arn, "layerArn": arn.rsplit(":", 1)[0], "version": str(answer["Version"])}


@layer_version.foretells
def newest_layer_version(request: Request) -> str:
    versions = request.cloud.client("lambda").list_layer_versions(LayerName=request["layerName"])["LayerVersions"]
    numbered = {each.get("Version", 0): each.get("LayerVersionArn", "") for each in versions}
    # a version of before is no leftover
    newest = max(numbered, default=0)
    return numbered[newest] if newest > int(request.outputs.get("version", 0)) else ""


@layer_version.deletes
def delete_layer_version(request: Request) -> None:
    version = int(request.id.rpartition(":")[2])
    request.cloud.client("lambda").delete_layer_version(LayerName=request["layerName"], VersionNumber=version)


@adapter(
    "aws:lambda/function:Function",
    takes=(
        "code", "handler", "runtime", "architectures", "role", "timeout", "memorySize", "environment",
        "loggingConfig", "publish", "tags",
    ),
    moves=("version", "qualifiedArn"),
    ignores={
        "layers": "built for another processor and Python; this environment has the same packages",
        "kmsKeyArn": "emulated variables are not encrypted",
    },
)  # fmt: skip
def function(request: Request) -> Created:
    name = request.auto_name
    answer = request.cloud.client("lambda").create_function(
        FunctionName=name,
        Architectures=request.get("architectures", ["x86_64"]),
        Code={"ZipFile": _code(request)},
        Publish=bool(request.get("publish")),
        Tags=request.get("tags", {}),
        **_configuration(request),
    )
    return name, {"id": name, "name": name, **_version(answer)}


def _code(request: Request) -> bytes:
    return zipped(archive_files(request["code"], request.cloud.root))


def _configuration(request: Request) -> Any:
    logging = request.get("loggingConfig", {})
    return {
        "Runtime": request["runtime"],
        "Handler": request["handler"],
        "Role": request["role"],
        "Timeout": whole(request.get("timeout", 3)),
        "MemorySize": whole(request.get("memorySize", 128)),
        "Environment": {"Variables": request.get("environment", {}).get("variables", {})},
        "LoggingConfig": {"LogFormat": logging.get("logFormat", "Text"), "LogGroup": logging["logGroup"]}
        if logging
        else {},
    }


def _version(answer: FunctionConfigurationResponseTypeDef) -> dict[str, str]:
    arn = answer["FunctionArn"].removesuffix(f":{answer['Version']}")
    return {"arn": arn, "version": answer["Version"], "qualifiedArn": f"{arn}:{answer['Version']}"}


@function.updates
def update_function(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("lambda")
    client.update_function_configuration(FunctionName=request.id, **_configuration(request))
    answer = client.update_function_code(
        FunctionName=request.id,
        ZipFile=_code(request),
        Architectures=request.get("architectures", ["x86_64"]),
        Publish=bool(request.get("publish")),
    )
    made = _version(answer)
    client.tag_resource(Resource=made["arn"], Tags=request.get("tags", {}))
    return made


@function.deletes
def delete_function(request: Request) -> None:
    request.cloud.client("lambda").delete_function(FunctionName=request.id)


@adapter("aws:lambda/permission:Permission", takes=("function", "action", "principal", "sourceArn"))
def permission(request: Request) -> Created:
    request.cloud.client("lambda").add_permission(
        FunctionName=request["function"],
        StatementId=request.auto_name,
        Action=request["action"],
        Principal=request["principal"],
        SourceArn=request["sourceArn"],
    )
    return request.auto_name, {"statementId": request.auto_name}


@permission.deletes
def delete_permission(request: Request) -> None:
    request.cloud.client("lambda").remove_permission(FunctionName=request["function"], StatementId=request.id)


@adapter(
    "aws:lambda/invocation:Invocation",
    takes=("functionName", "input", "lifecycleScope"),
    replaces=("functionName",),
)
def invocation(request: Request) -> Created:
    return request.auto_name, {"result": _invoked(request, "create")}


@invocation.foretells
def nothing_invoked(request: Request) -> str:
    # what the function did is undone by none of its invocations: it is told of the creation again
    return ""


@invocation.updates
def update_invocation(request: Request) -> Mapping[str, Any]:
    return {"result": _invoked(request, "update")}


@invocation.deletes
def delete_invocation(request: Request) -> None:
    if request.get("lifecycleScope") == "CRUD":
        _invoked(request, "delete")


def _invoked(request: Request, action: str) -> str:
    """Invoke the function as the provider does, which tells it what becomes of the resource."""
    told: dict[str, Any] = json.loads(request["input"])
    if request.get("lifecycleScope") == "CRUD":
        told["tf"] = {"action": action, "prev_input": json.loads(request.old.get("input", "null"))}
    answer = request.cloud.client("lambda").invoke(FunctionName=request["functionName"], Payload=json.dumps(told))
    result = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise UserError(f"the function {request['functionName']} ended with {answer['FunctionError']}: {result}")
    return result
