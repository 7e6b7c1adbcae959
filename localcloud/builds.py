"""CodeBuild in the emulator: builds are started by hand or by a rule, and run on this machine.

ministack keeps projects and builds, and runs none without Docker; its EventBridge starts none. Here a rule's target
starts a build as EventBridge does, with what its input transformer makes, and a build runs the commands of its phase
`build` in this repository, as a child of the emulator, with the rights of the project's role and this environment's
packages: what the phase `install` installs is there, and the source is what lies here. Its lines are in the log group
that is named after the project. The emulator's own process loads this by path (`localcloud/emulator.py`).
"""

from __future__ import annotations

import contextvars
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime  # pyright: ignore[reportMissingTypeStubs]
from ministack.services import codebuild, eventbridge  # pyright: ignore[reportMissingTypeStubs]

ROOT = Path(__file__).resolve().parents[1]
_overrides: contextvars.ContextVar[tuple[Mapping[str, str], ...]] = contextvars.ContextVar("overrides", default=())


def commands_of(project: Mapping[str, Any]) -> list[str]:
    """The commands of a project's phase `build`; its buildspec is JSON, which is YAML too."""
    return list(json.loads(project["source"]["buildspec"])["phases"]["build"]["commands"])


def variables_of(project: Mapping[str, Any], overrides: tuple[Mapping[str, str], ...]) -> dict[str, str]:
    """The variables that a build sees, those that started it last."""
    given = [*project.get("environment", {}).get("environmentVariables", []), *overrides]
    return {each["name"]: each["value"] for each in given}


def run_build(build: dict[str, Any], project: Mapping[str, Any], overrides: tuple[Mapping[str, str], ...]) -> str:
    """Run a build to its end.

    Returns:
        SUCCEEDED, FAILED or TIMED_OUT.
    """
    environment = {**os.environ, **_credentials(build, project), **variables_of(project, overrides)}
    environment |= {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    say = _log(build)
    for command in commands_of(project):
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_die_with_parent,
        )
        timer = threading.Timer(float(project.get("timeoutInMinutes", 60)) * 60, process.kill)
        timer.daemon = True
        timer.start()
        assert process.stdout
        for line in process.stdout:
            say(line.rstrip("\n"))
        code = process.wait()
        if timer.finished.is_set():
            return "TIMED_OUT"
        timer.cancel()
        if code:
            say(f"Command did not exit successfully {command} exit status {code}")
            return "FAILED"
    return "SUCCEEDED"


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _credentials(build: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, str]:
    """A session of the project's role, whose policy the emulator enforces, as functions get one of theirs."""
    module: Any = lambda_runtime
    account, region = project["arn"].split(":")[4], project["arn"].split(":")[3]
    as_function = f"arn:aws:lambda:{region}:{account}:function:{project['name']}"
    name = build["id"].replace(":", "-")
    return module.execution_credentials(
        {"FunctionArn": as_function, "Role": project["serviceRole"], "FunctionName": name}
    )


def _log(build: Mapping[str, Any]) -> Any:
    module: Any = codebuild
    sink = module._log_sink(build)

    def say(line: str) -> None:
        if line:
            sink(line)

    return say


def _execute(build_id: str, project: Mapping[str, Any]) -> None:
    module: Any = codebuild
    build = module._builds[build_id]
    module._record_phase(build, "QUEUED", "SUCCEEDED")
    try:
        status = run_build(build, project, _overrides.get())
    except Exception as error:
        module.logger.exception("build %s", build_id)
        _log(build)(f"{type(error).__name__}: {error}")
        status = "FAULT"
    module._record_phase(build, "BUILD", status)
    module._finish_build(build, status)


def _starting(start: Any) -> Any:
    """StartBuild, with the variables that are given for this build alone."""

    def started(data: dict[str, Any]) -> Any:
        token = _overrides.set(tuple(data.get("environmentVariablesOverride") or ()))
        try:
            return start(data)
        finally:
            _overrides.reset(token)

    return started


def _invoking(invoke: Any) -> Any:
    """A rule's target: a project's build is started with what its input transformer makes of the event."""

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        arn = str(target.get("Arn", ""))
        if ":codebuild:" not in arn:
            return invoke(target, event, rule, view)
        module: Any = eventbridge
        view = view or module._pattern_event_view(event)
        transformer = target.get("InputTransformer")
        given = module._apply_input_transformer(transformer, rule, view) if transformer else target.get("Input", "{}")
        wanted: dict[str, Any] = json.loads(given or "{}")
        builds: Any = codebuild
        return builds._start_build({**wanted, "projectName": arn.partition(":project/")[2]})

    return invoked


def install() -> None:
    """Have ministack start and run builds like this."""
    builds: Any = codebuild
    builds.EXECUTE_BUILDS = True
    builds._execute_build = _execute
    builds._start_build = _starting(builds._start_build)
    events: Any = eventbridge
    events._invoke_target = _invoking(events._invoke_target)
