"""IAM: roles and their policies, which the emulator enforces for what functions do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.adapter import Created, Request, adapter, pairs, retag, tag_list


@adapter("aws:iam/role:Role", takes=("assumeRolePolicy", "tags"))
def role(request: Request) -> Created:
    name = request.auto_name
    answer = request.cloud.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=request["assumeRolePolicy"],
        Tags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": answer["Role"]["Arn"]}


@role.updates
def update_role(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("iam")
    client.update_assume_role_policy(RoleName=request.id, PolicyDocument=request["assumeRolePolicy"])
    retag(
        request,
        lambda new: client.tag_role(RoleName=request.id, Tags=pairs(new)),
        lambda gone: client.untag_role(RoleName=request.id, TagKeys=gone),
    )
    return {}


@role.deletes
def delete_role(request: Request) -> None:
    request.cloud.client("iam").delete_role(RoleName=request.id)


@adapter("aws:iam/rolePolicy:RolePolicy", takes=("role", "policy"), replaces=("role",), put=True)
def role_policy(request: Request) -> Created:
    name = request.id.partition(":")[2] or request.auto_name
    request.cloud.client("iam").put_role_policy(
        RoleName=request["role"], PolicyName=name, PolicyDocument=request["policy"]
    )
    return f"{request['role']}:{name}", {"name": name}


@role_policy.deletes
def delete_role_policy(request: Request) -> None:
    role_name, _, name = request.id.partition(":")
    request.cloud.client("iam").delete_role_policy(RoleName=role_name, PolicyName=name)
