"""Who may do what: roles, policies, permissions, and the ARNs in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pulumi_policy import ResourceValidationArgs

from policy.rule import Complaints, on
from policy.values import at, keys, statements, strings, texts

IDENTITY = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy")
RESOURCE = (
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sns/topicPolicy:TopicPolicy",
)
ROLE = "aws:iam/role:Role"
WITHOUT_RESOURCES = ("ecr:GetAuthorizationToken",)
"""Actions for which AWS knows neither resources nor a condition worth having (Service Authorization Reference)."""
SILENT = ("lambda.amazonaws.com",)
"""Services that assume a role without saying on whose behalf (IAM User Guide, "Cross-service confused deputy")."""
SOURCES = ("aws:SourceArn", "aws:SourceAccount")
PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc"))


def allowing(document: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The statements that allow something, each with its name."""
    for index, each in enumerate(statements(document)):
        if at(each, "Effect") == "Allow":
            yield str(at(each, "Sid") or f"statement {index + 1}"), each


def sourced(statement: Mapping[str, object]) -> bool:
    """Whether a condition says on whose behalf a service may act."""
    condition = at(statement, "Condition")
    return any(at(condition, test, source) for test in keys(condition) for source in SOURCES)


@on(*IDENTITY, *RESOURCE)
def actions_named(args: ResourceValidationArgs) -> Complaints:
    """Rights are given one by one: with a wildcard, tomorrow's actions would be given too."""
    for name, each in allowing(at(args.props, "policy")):
        wild = [action for action in strings(at(each, "Action")) if "*" in action]
        if wild or at(each, "NotAction") is not None:
            yield f"{name}: actions must be named one by one, got {', '.join(wild) or 'NotAction'}"


@on(*IDENTITY)
def resources_named(args: ResourceValidationArgs) -> Complaints:
    """Rights are for named resources; where AWS knows none, a condition narrows them."""
    for name, each in allowing(at(args.props, "policy")):
        everywhere = "*" in strings(at(each, "Resource")) or at(each, "NotResource") is not None
        known = set(strings(at(each, "Action"))) <= set(WITHOUT_RESOURCES)
        if everywhere and not at(each, "Condition") and not known:
            yield f"{name}: resource * without a condition"


@on(*RESOURCE)
def nobody_unnamed_allowed(args: ResourceValidationArgs) -> Complaints:
    """A policy on a bucket, queue or topic allows named services and accounts, never everybody."""
    for name, each in allowing(at(args.props, "policy")):
        principal = at(each, "Principal")
        if "*" in (*strings(principal), *strings(at(principal, "AWS"))) or at(each, "NotPrincipal") is not None:
            yield f"{name}: allows everybody"


@on(ROLE)
def role_trusts_on_behalf(args: ResourceValidationArgs) -> Complaints:
    """A service may take a role on behalf of this account alone: else another customer could make it do so."""
    for name, each in allowing(at(args.props, "assumeRolePolicy")):
        services = [service for service in strings(at(each, "Principal", "Service")) if service not in SILENT]
        if services and not sourced(each):
            yield f"{name}: {', '.join(services)} needs a condition on {' or '.join(SOURCES)}"
        if "*" in (*strings(at(each, "Principal")), *strings(at(each, "Principal", "AWS"))):
            yield f"{name}: everybody may assume the role"


@on(*RESOURCE)
def service_acts_on_behalf(args: ResourceValidationArgs) -> Complaints:
    """A service that may write here does so for this account's own rules and alarms."""
    for name, each in allowing(at(args.props, "policy")):
        services = strings(at(each, "Principal", "Service"))
        if services and not sourced(each):
            yield f"{name}: {', '.join(services)} needs a condition on {' or '.join(SOURCES)}"


@on("aws:lambda/permission:Permission")
def invocation_on_behalf(args: ResourceValidationArgs) -> Complaints:
    """A function is invoked by one rule or alarm, not by anybody's."""
    principal = at(args.props, "principal")
    if principal == "*":
        yield "principal must name a service"
    if not at(args.props, "sourceArn") and not at(args.props, "sourceAccount"):
        yield f"sourceArn must name what {principal} invokes it for"


@on("*")
def partition_of_the_region(args: ResourceValidationArgs) -> Complaints:
    """An ARN written for one partition is wrong in the others: China, the US government, Europe's sovereign cloud."""
    region = at(args.provider.props, "region") if args.provider else None
    if not isinstance(region, str):
        return
    partition = next((name for prefix, name in PARTITIONS if region.startswith(prefix)), "aws")
    for text in texts(args.props):
        for found in sorted(set(re.findall(r"\barn:(aws[a-z-]*):", text)) - {partition}):
            yield f"an ARN begins with arn:{found}, in {region} it would be arn:{partition}"
