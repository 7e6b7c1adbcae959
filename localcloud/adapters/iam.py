"""IAM: roles and their policies, which the emulator enforces for what functions do."""

from __future__ import annotations

from localcloud.engine import Created, Request, adapter, tag_list


@adapter("aws:iam/role:Role", takes=("name", "assumeRolePolicy", "description", "tags"))
def role(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    answer = request.cloud.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=request["assumeRolePolicy"],
        Description=request.get("description", ""),
        Tags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": answer["Role"]["Arn"]}


@adapter("aws:iam/rolePolicy:RolePolicy", takes=("name", "role", "policy"))
def role_policy(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    request.cloud.client("iam").put_role_policy(
        RoleName=request["role"], PolicyName=name, PolicyDocument=request["policy"]
    )
    return f"{request['role']}:{name}", {"name": name}
