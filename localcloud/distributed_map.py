"""ministack's Distributed Map, with what it lacks: it runs within the emulator, which calls `install`.

- It evaluates no JSONata in an ItemReader and an ItemSelector.
- To a child the context's execution is the parent, and not its own.
- It writes no results. Here they lie where a ResultWriter puts them, as lines of JSON, whether the run fails or not
  (Step Functions Developer Guide, "ResultWriter").

What stays as it is: a run with too many faults goes on to its end and fails then, where AWS stops it; every child is
as a Standard one, with no limit of five minutes; and all objects are listed before the first child begins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ministack.services import s3, stepfunctions  # pyright: ignore[reportMissingTypeStubs]

ENDED = ("SUCCEEDED", "FAILED")


def install() -> None:
    """Put it right, in this process."""
    states: Any = stepfunctions
    states._resolve_params_obj = _in_either_language(states._resolve_params_obj)
    states._run_sub_machine = _as_itself(states._run_sub_machine)
    states._run_distributed_map = _with_results(states._run_distributed_map)


def _in_either_language(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolved(template: Any, data: Any, context: Any = None) -> Any:
        states: Any = stepfunctions
        if states._state_query_language({}, context) == "JSONata":
            return states._apply_jsonata_template(template, data, context)
        return resolve(template, data, context)

    return resolved


def _as_itself(run: Callable[..., Any]) -> Callable[..., Any]:
    def ran(states: Any, start: str, given: Any, execution: Mapping[str, Any], context: dict[str, Any]) -> Any:
        if execution.get("mapRunArn"):
            own = {"Id": execution["executionArn"], "Name": execution["name"], "StartTime": execution["startDate"]}
            context["Execution"] = {**context["Execution"], **own, "Input": given}
        return run(states, start, given, execution, context)

    return ran


def _with_results(run: Callable[..., Any]) -> Callable[..., Any]:
    def ran(state: Mapping[str, Any], given: Any, effective: Any, children: Any, execution: Any, context: Any) -> Any:
        states: Any = stepfunctions
        try:
            output, following = run(state, given, effective, children, execution, context)
        finally:
            own = [each for each in states._map_runs.values() if each["executionArn"] == execution["executionArn"]]
            writer = state.get("ResultWriter")
            details = _write(own[-1]["mapRunArn"], writer["Arguments"]) if writer and own else None
        return (output if details is None else details), following

    return ran


def _write(map_run: str, where: Mapping[str, str]) -> dict[str, Any]:
    """Write a run's results, and return what the state's output is then."""
    states: Any = stepfunctions
    children = [each for each in states._executions.values() if each.get("mapRunArn") == map_run]
    bucket, folder = where["Bucket"], f"{where['Prefix']}/{map_run.rpartition(':')[2]}"
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status in ENDED:
        body = "".join(_lines(children, status)).encode()
        if body:
            key = f"{folder}/{status}_0.jsonl"
            _put(bucket, key, body)
            files[status].append({"Key": key, "Size": len(body)})
    manifest = f"{folder}/manifest.json"
    content = {"DestinationBucket": bucket, "MapRunArn": map_run, "ResultFiles": files}
    _put(bucket, manifest, json.dumps(content).encode())
    return {"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": bucket, "Key": manifest}}


def _lines(children: Sequence[Mapping[str, Any]], status: str) -> Iterator[str]:
    names = ("executionArn", "input", "name", "output", "startDate", "stateMachineArn", "status", "stopDate", "error")
    for child in children:
        if child["status"] == status:
            told = {name: child[name] for name in (*names, "cause") if child.get(name) is not None}
            yield json.dumps({name[0].upper() + name[1:]: value for name, value in told.items()}) + "\n"


def _put(bucket: str, key: str, body: bytes) -> None:
    storage: Any = s3
    status, _, answer = storage._put_object(bucket, key, body, {})
    if status != 200:
        raise RuntimeError(f"the results could not be written: {answer!r}")
