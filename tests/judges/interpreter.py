"""moto's interpreter of Amazon States Language, with scripted tasks and the reference JSONata.

moto takes it from LocalStack and leaves JSONata out: `_eval_jsonata` is where it goes. A task's answers are scripted
in the interpreter's own way, one for each attempt; no service is called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
    state_task_service_dynamodb,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData, ExecutionData, StateMachineData
from moto.stepfunctions.parser.asl.jsonata import jsonata
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.mocking.mock_config import (
    MockedResponseReturn,
    MockedResponseThrow,
    MockTestCase,
    StateMockedResponses,
)

from tests.judges.process import JsonataError, Judge

ACCOUNT, REGION = "123456789012", "us-east-1"
EXECUTION = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:machine:run"
TIMED_OUT = "States.Timeout"


@dataclass(frozen=True)
class Fault:
    """A task's attempt that fails; one called `TIMED_OUT` has no cause."""

    error: str
    cause: str | None = ""


@dataclass
class Ended:
    """How an execution ended, which states it entered, and what each task was asked, attempt by attempt."""

    status: str
    error: str | None
    cause: str | None
    output: Any
    entered: list[str]
    asked: dict[str, list[Any]] = field(default_factory=dict)
    evaluated: set[str] = field(default_factory=set)
    """Every expression that gave a value, as it stands between `{%` and `%}`."""


def interpret(
    judge: Judge, definition: Mapping[str, Any], given: object, script: Mapping[str, Sequence[object]]
) -> Ended:
    """Run a definition.

    Args:
        judge: who evaluates the expressions.
        definition: the state machine.
        given: the execution's input.
        script: what each task's attempts answer, by state: a value, or a Fault. The last one is repeated.
    """
    program = _parsed(json.dumps(definition))
    role = f"arn:aws:iam::{ACCOUNT}:role/machine"
    environment = Environment(
        aws_execution_details=AWSExecutionDetails(ACCOUNT, REGION, role),
        execution_type=StateMachineType.STANDARD,
        context=ContextObjectData(
            Execution=ExecutionData(Id=EXECUTION, Input=given, Name="run", RoleArn=role, StartTime="2026-01-01"),
            StateMachine=StateMachineData(Id=EXECUTION.replace(":execution:", ":stateMachine:"), Name="machine"),
        ),
        event_history_context=EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
        mock_test_case=MockTestCase("machine", "test", [_scripted(name, answers) for name, answers in script.items()]),
    )
    asked: dict[str, list[Any]] = {}
    evaluated: set[str] = set()
    with _as_aws_does(judge, evaluated), _listening(asked):
        program.eval(environment)
    history = environment.event_manager.get_event_history()
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    state = environment.program_state()
    if isinstance(state, ProgramEnded):
        return Ended("SUCCEEDED", None, None, environment.states.get_input(), entered, asked, evaluated)
    assert isinstance(state, ProgramError), state
    failed = state.error
    return Ended("FAILED", failed.get("error"), failed.get("cause"), None, entered, asked, evaluated)


@cache
def _parsed(definition: str) -> Program:
    """Parsing takes ten times as long as running; what a run changes is in its environment."""
    return AmazonStateLanguageParser.parse(definition)[0]


def _scripted(state: str, answers: Sequence[object]) -> StateMockedResponses:
    attempts, last = 20, len(answers) - 1
    responses = []
    for number, answer in enumerate(answers):
        end = attempts if number == last else number
        if isinstance(answer, Fault):
            responses.append(MockedResponseThrow(number, end, answer.error, answer.cause))
        else:
            responses.append(MockedResponseReturn(number, end, answer))
    return StateMockedResponses(state, state, responses)


@contextmanager
def _as_aws_does(judge: Judge, evaluated: set[str]) -> Iterator[None]:
    """The reference JSONata, whose errors can be caught; and no waiting before another attempt."""

    def evaluate(expression: str) -> Any:
        try:
            return judge.evaluate(expression)
        except JsonataError as error:
            raise jsonata.JSONataException("UNKNOWN", str(error)) from error

    of_string = string_expression.StringJSONata._eval_body

    def eval_string(self: Any, env: Environment) -> None:
        try:
            of_string(self, env)
            evaluated.add(self.expression)
        except jsonata.JSONataException as error:
            # the interpreter takes it for a fault of its own, which ends the execution
            name = StatesErrorName(StatesErrorNameType.StatesQueryEvaluationError)
            details = EvaluationFailedEventDetails(error=name.error_name, cause=error.details)
            failed = EventDetails(evaluationFailedEventDetails=details)
            raise FailureEventException(FailureEvent(env, name, HistoryEventType.EvaluationFailed, failed)) from error

    database = state_task_service_dynamodb.StateTaskServiceDynamoDB
    from_database = database._from_error

    def from_error(self: Any, env: Environment, ex: Exception) -> FailureEvent:
        return ex.failure_event if isinstance(ex, FailureEventException) else from_database(self, env, ex)

    def named(error_name: str) -> ErrorName:
        return (
            StatesErrorName.from_name(error_name) if error_name.startswith("States.") else CustomErrorName(error_name)
        )

    with ExitStack() as patches:
        for owner, name, replacement in (
            (jsonata, "_eval_jsonata", evaluate),
            # its own functions are written with $eval, which the reference has a $parse for
            (string_expression, "get_intrinsic_functions_declarations", lambda variable_references: ""),
            (string_expression.StringJSONata, "_eval_body", eval_string),
            # a scripted fault of the table keeps its name
            (database, "_from_error", from_error),
            # a branch may fail with an error of the language
            (branches_decl, "CustomErrorName", named),
            (retrier_decl, "time", SimpleNamespace(sleep=lambda seconds: None)),
        ):
            patches.enter_context(patch.object(owner, name, replacement))
        yield


@contextmanager
def _listening(asked: dict[str, list[Any]]) -> Iterator[None]:
    """Note what each attempt asks, and let those time out that are to: a mock can't raise an error of the language."""
    service = state_task_service.StateTaskService
    original = service._before_eval_execution

    def listen(
        self: Any, env: Environment, resource_runtime_part: Any, raw_parameters: Any, state_credentials: Any
    ) -> None:
        asked.setdefault(self.name, []).append(raw_parameters)
        original(self, env, resource_runtime_part, raw_parameters, state_credentials)
        answer = env.get_current_mocked_response()
        if isinstance(answer, MockedResponseThrow) and answer.error == TIMED_OUT:
            raise FailureEventException(self._get_timed_out_failure_event(env))

    with patch.object(service, "_before_eval_execution", listen):
        yield
