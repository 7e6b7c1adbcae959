"""What roles may do, as a graph grants it, and how it compares with what is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from contract import prefixes
from tests.components.stack import Found


@dataclass(frozen=True)
class Need:
    """An action on a resource, and who needs it."""

    action: str
    resource: str
    """An example: an object below a prefix, a version of a function. `*` where AWS knows no resources, and `?` where
    the test does not know which one."""
    why: str


@dataclass(frozen=True)
class Grant:
    """One action on one resource, of a statement."""

    policy: str
    sid: str
    action: str
    resource: str

    def allows(self, need: Need) -> bool:
        return self.action == need.action and (need.resource == "?" or fnmatchcase(need.resource, self.resource))


def statements_by_role(found: Found) -> Mapping[str, list[tuple[str, Mapping[str, Any]]]]:
    """Role -> its statements, each with the name of its policy."""
    by_role: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for policy in found.of("RolePolicy"):
        role = str(policy.inputs["role"]).rpartition("-")[0]
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            by_role.setdefault(role, []).append((policy.name, statement))
    return by_role


def grants(statements: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Grant]:
    for policy, statement in statements:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield Grant(policy, statement["Sid"], action, resource)


def strangers(need: Need) -> Iterator[Need]:
    """The same action on what is not the stack's, and on the other folders of its bucket."""
    other = re.sub(r"[\w.-]+-1a2b3c4|(?<=/)scones-(dev|prod)", "stranger", need.resource)
    if other != need.resource:
        yield Need(need.action, other, f"nobody, where {need.why} is meant")
    bucket, _, key = need.resource.partition("/")
    if key and need.action.startswith("s3:"):
        for prefix in (prefixes.INCOMING, *prefixes.OTHERS):
            yield Need(need.action, f"{bucket}/{prefix}stranger", f"nobody, where {need.why} is meant")


def too_wide(statements: Iterable[tuple[str, Mapping[str, Any]]], needs: Iterable[Need]) -> list[str]:
    """What is granted on resources that nobody needs, a sentence each."""
    given, wanted = list(grants(statements)), list(needs)
    folders = {(need.action, _folder(need.resource)) for need in wanted}
    return sorted(
        {
            f"too wide: {grant.policy} {grant.sid} {stranger.action} on {stranger.resource}"
            for stranger in (each for need in wanted for each in strangers(need))
            if (stranger.action, _folder(stranger.resource)) not in folders
            for grant in given
            if grant.allows(stranger)
        }
    )


def _folder(arn: str) -> str:
    """An object's folder; of anything else the whole ARN."""
    return "/".join(arn.split("/")[:2]) if ":s3:" in arn else arn


def compare(statements: Iterable[tuple[str, Mapping[str, Any]]], needs: Iterable[Need]) -> list[str]:
    """What is missing, and what is idle, a sentence each: an action or a resource that nobody needs."""
    given, wanted = list(grants(statements)), list(needs)
    problems = [
        f"missing: {need.action} on {need.resource}, for {need.why}"
        for need in wanted
        if not any(grant.allows(need) for grant in given)
    ]
    used = [grant for grant in given if any(grant.allows(need) for need in wanted)]
    actions, resources = {(g.policy, g.sid, g.action) for g in used}, {(g.policy, g.sid, g.resource) for g in used}
    for grant in given:
        if (grant.policy, grant.sid, grant.action) not in actions:
            problems.append(f"idle: {grant.policy} {grant.sid} {grant.action}")
        elif (grant.policy, grant.sid, grant.resource) not in resources:
            problems.append(f"idle: {grant.policy} {grant.sid} on {grant.resource}")
    return sorted(set(problems))
