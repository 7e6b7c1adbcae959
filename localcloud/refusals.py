"""What AWS refuses or tells and ministack does not; `emulator.py` runs this within ministack's process.

- A function's answer of more than 6 MB is `Function.ResponseSizeTooLarge` (Lambda, "Quotas").
- A function that can't be loaded fails with the error of its runtime, such as `Runtime.ImportModuleError`.
- What a state takes and gives has at most 256 KiB; more ends the execution with `States.DataLimitExceeded`, which no
  `States.ALL` catches, and neither `States.Runtime` (Step Functions, "Handling errors").
- An event that a bus refuses is `EventBridge.FailedEntry` to a state machine (Step Functions, "Amazon EventBridge").
- A function that is not let run is `Lambda.TooManyRequestsException` to a state machine.
- The event of an upload names its version (Amazon S3, "EventBridge event message structure").
- What a rule can't deliver goes to its target's dead-letter queue (EventBridge, "Using dead-letter queues").
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import lambda_runtime  # pyright: ignore[reportMissingTypeStubs]
from ministack.core.arn import parse_arn  # pyright: ignore[reportMissingTypeStubs]
from ministack.services import eventbridge, s3, sqs, stepfunctions  # pyright: ignore[reportMissingTypeStubs]

MOST_ANSWERED = 6 * 1024 * 1024
MOST_PASSED_ON = 256 * 1024
TERMINAL = frozenset({"States.DataLimitExceeded", "States.Runtime"})

functions: Any = lambda_runtime
events: Any = eventbridge
storage: Any = s3
queues: Any = sqs
states: Any = stepfunctions


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _limited(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def invoked(worker: Any, *words: Any, **named: Any) -> dict[str, Any]:
        try:
            answer = invoke(worker, *words, **named)
        except RuntimeError:
            fault: Any = worker._init_error
            if not isinstance(fault, dict):
                raise
            return {"status": "error", "error": fault.get("errorMessage"), "error_payload": fault}
        if answer.get("status") != "ok" or (size := _size(answer.get("result"))) <= MOST_ANSWERED:
            return answer
        said = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MOST_ANSWERED} bytes)."
        fault = {"errorMessage": said, "errorType": "Function.ResponseSizeTooLarge"}
        return {**answer, "status": "error", "error": said, "error_payload": fault}

    return invoked


def _passed_on(invoke: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def invoked(resource: str, given: Any) -> Any:
        _refuse_large(resource, "input", given)
        answer = invoke(resource, given)
        _refuse_large(resource, "result", answer)
        if "events:putEvents" in resource and answer.get("FailedEntryCount"):
            raise states._ExecutionError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    return invoked


def _named(call: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def called(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except states._ExecutionError as error:
            if error.error == "Lambda.Unknown" and "TooManyRequestsException" in str(error.cause):
                raise states._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    return called


def _refuse_large(resource: str, what: str, value: object) -> None:
    if _size(value) > MOST_PASSED_ON:
        said = f"the {what} of {resource!r} has a size exceeding the maximum number of bytes, {MOST_PASSED_ON}"
        raise states._ExecutionError("States.DataLimitExceeded", said)


def _matches(matches: Callable[[list[str], str], bool]) -> Callable[[list[str], str], bool]:
    def matched(names: list[str], error: str) -> bool:
        return matches([name for name in names if name != "States.ALL"] if error in TERMINAL else names, error)

    return matched


UPLOAD = threading.local()
"""The version whose event this thread is telling."""


def _fired(fire: Callable[..., None]) -> Callable[..., None]:
    def fired(*words: Any, version_id: str | None = None, **named: Any) -> None:
        UPLOAD.version = version_id
        fire(*words, version_id=version_id, **named)

    return fired


def _versioned(dispatch: Callable[..., None]) -> Callable[..., None]:
    def dispatched(event: dict[str, Any], *words: Any) -> None:
        version, UPLOAD.version = getattr(UPLOAD, "version", None), None
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        dispatch(event, *words)

    return dispatched


def _is_there(arn: str) -> bool:
    found = {"states": states._resolve_state_machine_arn, "sqs": queues._queue_by_arn}.get(arn.split(":")[2])
    return found is None or bool(found(arn))


def _delivered(invoke: Callable[..., None]) -> Callable[..., None]:
    def invoked(target: Mapping[str, Any], event: Any, rule: Any, view: Any = None) -> None:
        arn = str(target.get("Arn", ""))
        letters = str((target.get("DeadLetterConfig") or {"Arn": ""})["Arn"])
        if not letters or _is_there(arn):
            invoke(target, event, rule, view)
            return
        view = view or events._pattern_event_view(event)
        events._dispatch_to_sqs(parse_arn(letters), json.dumps(view.event_with_detail()))

    return invoked


def keep() -> None:
    """Put all of it in force."""
    functions.ProvidedWorker.invoke = _limited(functions.ProvidedWorker.invoke)
    states._call_lambda = _named(states._call_lambda)
    states._invoke_resource = _passed_on(states._invoke_resource)
    states._error_matches = _matches(states._error_matches)
    storage._fire_s3_event = _fired(storage._fire_s3_event)
    events._dispatch_event = _versioned(events._dispatch_event)
    events._invoke_target = _delivered(events._invoke_target)
