"""What runs: functions, their logs, the state machine, builds."""

from __future__ import annotations

import json
import re

from pulumi_policy import ResourceValidationArgs

from policy.rule import ADVISORY, Complaints, on
from policy.values import at, items, keys, number

BUILD = "aws:codebuild/project:Project"
FUNCTION = "aws:lambda/function:Function"
MACHINE = "aws:sfn/stateMachine:StateMachine"
RUNTIMES = ("python3.13", "python3.14")
"""Supported to June 2029 (Lambda Developer Guide, "Lambda runtimes")."""
LONGEST_SECONDS = 300
"""A photo that takes longer than five minutes makes a driver wait for nothing."""
SECRET = re.compile("PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ACCESS_KEY|API_KEY")


@on("aws:cloudwatch/logGroup:LogGroup")
def logs_expire(args: ResourceValidationArgs) -> Complaints:
    """A log group without a period keeps everything for ever, and is paid for."""
    if not number(at(args.props, "retentionInDays")):
        yield "retentionInDays must be set"


@on(FUNCTION)
def function_logs_where_it_is_told(args: ResourceValidationArgs) -> Complaints:
    """Without a log group of the stack's, Lambda makes one that has no period and outlives the stack."""
    if not at(args.props, "loggingConfig", "logGroup"):
        yield "loggingConfig.logGroup must name a log group of the stack"


@on(FUNCTION)
def function_bounded(args: ResourceValidationArgs) -> Complaints:
    """Time and memory are chosen: Lambda's own 3 seconds and 128 MB suit none of these functions."""
    seconds = number(at(args.props, "timeout"))
    if seconds is None or not 1 <= seconds <= LONGEST_SECONDS:
        yield f"timeout must be from 1 to {LONGEST_SECONDS} seconds, got {seconds}"
    if number(at(args.props, "memorySize")) is None:
        yield "memorySize must be set"


@on(FUNCTION)
def function_runtime_supported(args: ResourceValidationArgs) -> Complaints:
    """A runtime that AWS still mends."""
    given = at(args.props, "runtime")
    if given not in RUNTIMES:
        yield f"runtime must be {' or '.join(RUNTIMES)}, got {given}"


@on(FUNCTION)
def function_holds_no_secret(args: ResourceValidationArgs) -> Complaints:
    """Whoever may look at a function's settings reads its environment: secrets belong elsewhere."""
    for name in keys(at(args.props, "environment", "variables")):
        if SECRET.search(name):
            yield f"environment.variables.{name} looks like a secret"


@on(FUNCTION, level=ADVISORY)
def function_concurrency_reserved(args: ResourceValidationArgs) -> Complaints:
    """A flood of photos must not take the whole account's concurrency."""
    if at(args.props, "reservedConcurrentExecutions") is None:
        yield "reservedConcurrentExecutions is not set"


@on(FUNCTION, level=ADVISORY)
def function_traced(args: ResourceValidationArgs) -> Complaints:
    """A trace shows where the time of a slow photo went."""
    if at(args.props, "tracingConfig", "mode") != "Active":
        yield "tracingConfig.mode is not Active"


@on(BUILD)
def build_bounded(args: ResourceValidationArgs) -> Complaints:
    """A build that hangs is ended, and two that change the same things do not run at a time."""
    if number(at(args.props, "buildTimeout")) is None:
        yield "buildTimeout must be set"
    if number(at(args.props, "concurrentBuildLimit")) is None:
        yield "concurrentBuildLimit must be set"


@on(BUILD)
def build_unprivileged(args: ResourceValidationArgs) -> Complaints:
    """A build that needs no Docker daemon gets none: with it the build is root on its host."""
    if at(args.props, "environment", "privilegedMode") is True:
        yield "environment.privilegedMode must not be true"


@on(BUILD)
def build_logs_where_it_is_told(args: ResourceValidationArgs) -> Complaints:
    """Without a log group of the stack's, CodeBuild makes one that has no period and outlives the stack."""
    if not at(args.props, "logsConfig", "cloudwatchLogs", "groupName"):
        yield "logsConfig.cloudwatchLogs.groupName must name a log group of the stack"


@on(BUILD)
def build_holds_no_secret(args: ResourceValidationArgs) -> Complaints:
    """Whoever may look at a project reads its variables: secrets belong elsewhere."""
    for each in items(at(args.props, "environment", "environmentVariables")):
        name, kind = str(at(each, "name")), at(each, "type") or "PLAINTEXT"
        if kind == "PLAINTEXT" and SECRET.search(name):
            yield f"environment.environmentVariables: {name} looks like a secret"


@on(MACHINE)
def execution_leaves_a_history(args: ResourceValidationArgs) -> Complaints:
    """What happened to a photo can be read afterwards: from a Standard execution's history, or from an Express log."""
    kind = at(args.props, "type") or "STANDARD"
    level = at(args.props, "loggingConfiguration", "level")
    if kind != "STANDARD" and level not in ("ALL", "ERROR", "FATAL"):
        yield f"an {kind} state machine needs loggingConfiguration.level ALL, ERROR or FATAL, got {level}"


@on(MACHINE)
def execution_data_not_logged(args: ResourceValidationArgs) -> Complaints:
    """An execution's data holds the picture itself for a while: it stays out of the logs."""
    if at(args.props, "loggingConfiguration", "includeExecutionData") is True:
        yield "loggingConfiguration.includeExecutionData must not be true"


@on(MACHINE, level=ADVISORY)
def execution_traced(args: ResourceValidationArgs) -> Complaints:
    """A trace shows where the time of a slow photo went."""
    if at(args.props, "tracingConfiguration", "enabled") is not True:
        yield "tracingConfiguration.enabled is not true"


@on(MACHINE)
def machine_published(args: ResourceValidationArgs) -> Complaints:
    """Every version of the machine is kept, so that the one before can be had back."""
    if at(args.props, "publish") is not True:
        yield "publish must be true"


@on(MACHINE)
def batch_bounded(args: ResourceValidationArgs) -> Complaints:
    """A Distributed Map without bounds takes the account's whole concurrency, and carries every fault to its end."""
    text = at(args.props, "definition")
    machine: object = json.loads(text) if isinstance(text, str) else text
    for name in keys(at(machine, "States")):
        state = at(machine, "States", name)
        if at(state, "ItemProcessor", "ProcessorConfig", "Mode") != "DISTRIBUTED":
            continue
        if not at(state, "MaxConcurrency"):
            yield f"{name}: MaxConcurrency must be above 0"
        tolerated = [at(state, f"ToleratedFailure{what}") for what in ("Percentage", "Count")]
        if tolerated == [None, None] or number(tolerated[0]) == 100:
            yield f"{name}: ToleratedFailurePercentage (below 100) or ToleratedFailureCount must be given"
