"""The state machine's definition: a pure function from names and ARNs to Amazon States Language in JSONata.

Serialize -> Classify -> Filter -> Record -> Publish -> Routed
Whatever fails on the way: ReadKey -> ReadCause -> Message -> ForAPerson (-> RecordReview) -> SendToReview -> Alert
-> Failed.

Every Catch turns the fault into the review queue's message at once (`_caught`), so that nothing after it
has to know where it came from, and the picture itself travels no further than Classify.

A batch's children go through the same states (`states_in_batch`). Three things differ. What shows a folder ends at
once. Nobody is alerted of each photo, but where the alert is its only trace. And a photo that waits for a person, as
many do, ends well: what fails is a fault, of which a batch tolerates few.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypedDict

from contract import errors
from contract.classes import MOST_CLASSES
from contract.decisions import BY_THE_MODEL, EVENT_SOURCE, EVENT_TYPE, NOT_QUEUED, outcome_of

LAMBDA_TRANSIENT = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
"""Faults of Lambda itself that AWS says to retry (Step Functions, "Transient Lambda
service exceptions")."""
TRANSIENT = tuple(error.__name__ for error in errors.TRANSIENT)
DYNAMODB_TRANSIENT = (
    "DynamoDB.ProvisionedThroughputExceededException",
    "DynamoDB.RequestLimitExceeded",
    "DynamoDB.ThrottlingException",
    "DynamoDB.InternalServerError",
    "DynamoDB.SdkClientException",
)
EVENTS_TRANSIENT = (
    "EventBridge.FailedEntry",
    "EventBridge.InternalException",
    "EventBridge.ThrottlingException",
    "EventBridge.SdkClientException",
)
"""`FailedEntry` is what Step Functions makes of a FailedEntryCount above 0 (Developer Guide)."""
SQS_TRANSIENT = ("SQS.RequestThrottled", "SQS.InternalError", "SQS.SdkClientException")
SNS_TRANSIENT = ("SNS.ThrottledException", "SNS.InternalErrorException", "SNS.SdkClientException")
TIMEOUT = "States.Timeout"

FOR_A_PERSON = (errors.ThresholdNotMet, errors.NoneOfTheClasses)
"""What Filter raises by design."""
DUPLICATE = "DynamoDB.ConditionalCheckFailedException"

FUNCTION_TIMEOUTS = {"serialize": 45, "classify": 30, "filter": 10}
"""Seconds that Lambda gives each function: what its client may take, plus a cold start."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What the definition refers to: version-qualified function ARNs, and the places of its effects."""

    serialize: str
    classify: str
    filter: str
    decisions_table: str
    event_bus: str
    review_queue_url: str
    alert_topic: str
    retention_days: int
    partition: str = "aws"
    """Of the ARNs: aws, aws-cn or aws-us-gov."""


class Retrier(TypedDict):
    """A `Retry` entry: a random wait (full jitter) of up to a time that doubles with each attempt."""

    ErrorEquals: list[str]
    IntervalSeconds: int
    BackoffRate: float
    MaxAttempts: int
    MaxDelaySeconds: int
    JitterStrategy: str


class Catcher(TypedDict):
    """A `Catch` entry."""

    ErrorEquals: list[str]
    Next: str
    Output: str


def definition(resources: Resources) -> dict[str, object]:
    """The definition, ready for `json.dumps`.

    There is no time limit on the whole execution: it would end one without the review queue.
    Every state has its own.

    Args:
        resources: what the states invoke, put, send and publish to.
    """
    return {
        "Comment": "A photo becomes a routed driver, or a failed execution and a message for a person",
        "QueryLanguage": "JSONata",
        "StartAt": "Serialize",
        "States": _states(resources),
    }


def states_in_batch(resources: Resources) -> dict[str, object]:
    """The states of a batch's child, which begins with `IsPhoto`; its input has the object's `size` too.

    What ends well says in its output what became of the photo: `decision`, or the `error` for which it waits, and
    `again` where the decision on this version was made before; for a folder neither.
    """
    return {
        "IsPhoto": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $states.input.size = 0 and $substring($states.input.s3_key, -1) = '/' %}",
                    "Next": "Folder",
                }
            ],
            "Default": "Serialize",
        },
        "Folder": {"Type": "Succeed"},
        **_states(resources, in_batch=True),
        "HowItEnded": _for_a_person("Waits", otherwise="Failed"),
        "Waits": {"Type": "Succeed"},
    }


def _states(resources: Resources, *, in_batch: bool = False) -> dict[str, object]:
    partition = resources.partition
    to_review = _catch("States.ALL", "ReadKey", _caught())
    decided_before = _catch(DUPLICATE, "AlreadyDecided", _AGAIN if in_batch else _INPUT)
    return {
        "Serialize": _function(partition, "serialize", resources.serialize, "Classify", [to_review]),
        "Classify": _function(partition, "classify", resources.classify, "Filter", [to_review]),
        "Filter": _function(partition, "filter", resources.filter, "Record", [to_review]),
        "Record": _task(
            partition,
            "dynamodb:putItem",
            _put(resources, "accepted", _SUCCESS_NAMES),
            "Publish",
            DYNAMODB_TRANSIENT,
            [decided_before, to_review],
        ),
        "Publish": _task(partition, "events:putEvents", _event(resources), "Routed", EVENTS_TRANSIENT, [to_review]),
        "Routed": {"Type": "Succeed"},
        "AlreadyDecided": {"Type": "Succeed"},
        "ReadKey": _read_key("ReadCause"),
        "ReadCause": _read_cause("Message"),
        "Message": {"Type": "Pass", "Output": _MESSAGE, "Next": "ForAPerson"},
        "ForAPerson": _for_a_person("RecordReview", otherwise="SendToReview"),
        "RecordReview": _task(
            partition,
            "dynamodb:putItem",
            _put(resources, _REFUSED, _FAILURE_NAMES),
            "SendToReview",
            DYNAMODB_TRANSIENT,
            # a duplicate was sent to a person before; no other fault may keep the photo from that person
            [
                decided_before if in_batch else _catch(DUPLICATE, "Failed", _INPUT),
                _catch("States.ALL", "SendToReview", _INPUT),
            ],
        ),
        "SendToReview": _task(
            partition,
            "sqs:sendMessage",
            {"QueueUrl": resources.review_queue_url, "MessageBody": "{% $string($states.input) %}"},
            "HowItEnded" if in_batch else "Alert",
            SQS_TRANSIENT,
            # then the alert is the only trace of the photo, so it says so
            [_catch("States.ALL", "Alert", _UNQUEUED)],
        ),
        "Alert": _task(
            partition,
            "sns:publish",
            _alert(resources),
            "Failed",
            SNS_TRANSIENT,
            [_catch("States.ALL", "Failed", _INPUT)],
        ),
        "Failed": {
            "Type": "Fail",
            # a machine's own errors must not be named like those of the language
            "Error": "{% $substringAfter($states.input.error, 'States.') %}",
            "Cause": "{% $states.input.message %}",
        },
    }


_INPUT = "{% $states.input %}"
_AGAIN = "{% $merge([$states.input, {'again': true}]) %}"
_UNQUEUED = (
    "{% $merge([$states.input, {'message': $states.input.message"
    f" & ' {NOT_QUEUED}' & $states.errorOutput.Error & ')'}}]) %}}"
)
_WITHOUT_IMAGE = (
    "{% $type($states.result.Payload) = 'object'"
    " ? $merge([{}, $sift($states.result.Payload, function($value, $key) { $key != 'image_data' })]) : {} %}"
)
"""An object whatever the function answered: of an empty one `$sift` leaves nothing at all, which is an error."""


_SHAPES = tuple(
    f"{given}{shape}"
    for given in ("$states.input", "$states.context.Execution.Input")
    for shape in (".Records[0].s3", ".detail", "")
)
"""Where an input of each shape that `contract.photos.read_photo` reads names its photo; the first that is there.

What a function answered may name none, but the execution began with it.
"""
_PHOTO = {
    "bucket": ("bucket.name", "bucket.name", "s3_bucket"),
    "key": ("object.key", "object.key", "s3_key"),
    "version": ("object.versionId", "object.`version-id`", "s3_version"),
}
_LONGEST = {"key": 3072, "version": 1024}
"""Characters; a key has up to 1024 bytes, each of which a notification may write as three characters."""
_LONGEST_TEXT = 256
_LONGEST_CAUSE = 12_288
"""What the message is read from: with all the rest it fits into what a state may pass on (256 KiB), even where every
character is written as two escaped surrogates."""
_LONGEST_MESSAGE = 8192
_FIGURES = ("label", "confidence", "margin", "threshold", "inferences")


def _caught() -> str:
    """What is known of the photo and of the fault that is being caught; what is unknown is absent.

    An expression that fails in a Catch ends the execution then and there, behind the review queue's back. So
    nothing here can fail, whatever the input and the cause are: texts are taken as they came and cut, what is no
    text or number is left out, and nothing is parsed before `_read`.
    """

    def text(*paths: str, longest: int = _LONGEST_TEXT) -> str:
        texts = f"$filter([{', '.join(paths)}], function($value) {{ $type($value) = 'string' }})"
        return f"$substring({texts}[0], 0, {longest})"

    photo = ", ".join(
        f"'{name}': "
        + text(
            *(f"{shape}.{path}" for shape, path in zip(_SHAPES, paths * 2, strict=True)),
            longest=_LONGEST.get(name, _LONGEST_TEXT),
        )
        for name, paths in _PHOTO.items()
    )
    encoded = text(*(f"{shape}.{_PHOTO['key'][0]}" for shape in _SHAPES[::3]), longest=_LONGEST["key"])
    return (
        "{% ("
        " $cause := $states.errorOutput.Cause;"
        f" {{{photo}, 'encoded_key': {encoded},"
        f" 'error': $substring($states.errorOutput.Error, 0, {_LONGEST_TEXT}),"
        " 'message': $type($cause) = 'string' and $cause != ''"
        f" ? $substring($cause, 0, {_LONGEST_CAUSE}) : 'no cause given',"
        f" 'inferences': [$filter([$states.input.inferences][[0..{MOST_CLASSES}]],"
        " function($value) { $type($value) = 'number' })],"
        f" 'inference_id': {text('$states.input.inference_id')}, 'model': {text('$states.input.model')},"
        " 'execution': $states.context.Execution.Id}) %}"
    )


def _read(state: str, parsed: str, as_it_came: str, next_state: str) -> dict[str, object]:
    """A state whose expression may fail: in a branch, whose fault can be caught where a Pass state's can't.

    What it passes on is a list of one, as a Parallel state's output is.

    Args:
        state: what the branch's only state is called.
        parsed: the output.
        as_it_came: the output when `parsed` fails, which must not fail itself.
        next_state: where both lead.
    """
    branch = {"StartAt": state, "States": {state: {"Type": "Pass", "Output": f"{{% {parsed} %}}", "End": True}}}
    return {
        "Type": "Parallel",
        "Branches": [branch],
        "Catch": [_catch("States.ALL", next_state, f"{{% [{as_it_came}] %}}")],
        "Next": next_state,
    }


def _read_key(next_state: str) -> dict[str, object]:
    """The object's own key, which an S3 notification encodes (Amazon S3 User Guide, "Event message structure")."""
    rest = "$sift($states.input, function($value, $name) { $name != 'encoded_key' })"
    decoded = "$decodeUrlComponent($replace($states.input.encoded_key, '+', ' '))"
    parsed = f"$exists($states.input.encoded_key) ? $merge([{rest}, {{'key': {decoded}}}]) : $states.input"
    return _read("DecodeKey", parsed, rest, next_state)


def _read_cause(next_state: str) -> dict[str, object]:
    """The message in a function's cause, which is a JSON object with errorMessage, and a decision's figures in it.

    Other services' causes are texts, and any cause may be cut off.
    """
    codes = json.dumps([error.CODE for error in FOR_A_PERSON])
    parsed = (
        "("
        " $said := $states.input[0].message;"
        " $object := $substring($said, 0, 1) = '{' ? $parse($said) : {};"
        " $said := $type($object.errorMessage) = 'string' ? $object.errorMessage : $said;"
        f" $figures := $substringBefore($said, ' ') in {codes} ? $parse($substringAfter($said, ' ')) : {{}};"
        f" $figures := $sift($figures, function($value, $name) {{ $name in {json.dumps(_FIGURES)} }});"
        " $merge([$states.input[0], $figures, {'message': $said}])"
        ")"
    )
    return _read("ParseCause", parsed, "$states.input[0]", next_state)


_MESSAGE = (
    f"{{% $merge([$states.input[0], {{'message': $substring($states.input[0].message, 0, {_LONGEST_MESSAGE})}}]) %}}"
)


def _for_a_person(next_state: str, *, otherwise: str) -> dict[str, object]:
    """A state that tells what Filter raised from every other error."""
    names = json.dumps([error.__name__ for error in FOR_A_PERSON])
    return {
        "Type": "Choice",
        "Choices": [{"Condition": f"{{% $states.input.error in {names} %}}", "Next": next_state}],
        "Default": otherwise,
    }


def _catch(error: str, next_state: str, output: str) -> Catcher:
    return {"ErrorEquals": [error], "Next": next_state, "Output": output}


def _retry(errors: tuple[str, ...], *, attempts: int = 3, interval: int = 1) -> Retrier:
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": interval,
        "BackoffRate": 2.0,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 30,
        "JitterStrategy": "FULL",
    }


def _function(partition: str, role: str, arn: str, next_state: str, catch: list[Catcher]) -> dict[str, object]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Arguments": {"FunctionName": arn, "Payload": _INPUT},
        "Output": "{% $states.result.Payload %}" if role == "serialize" else _WITHOUT_IMAGE,
        # so that Lambda's own time-out comes first and says more
        "TimeoutSeconds": FUNCTION_TIMEOUTS[role] + 5,
        # a model that is being replaced or is overwhelmed needs a longer backoff than a fault of Lambda's own
        "Retry": [_retry(LAMBDA_TRANSIENT), _retry(TRANSIENT, attempts=5, interval=2)],
        "Catch": catch,
        "Next": next_state,
    }


def _task(
    partition: str,
    action: str,
    arguments: dict[str, object],
    next_state: str,
    transient: tuple[str, ...],
    catch: list[Catcher],
) -> dict[str, object]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::{action}",
        "Arguments": arguments,
        "Output": _INPUT,
        "TimeoutSeconds": 15,
        "Retry": [_retry((*transient, TIMEOUT))],
        "Catch": catch,
        "Next": next_state,
    }


_SUCCESS_NAMES = {"bucket": "s3_bucket", "key": "s3_key", "version": "s3_version"}
_FAILURE_NAMES = {"bucket": "bucket", "key": "key", "version": "version"}
_BY_ERROR = {error.__name__: outcome_of("FAILED", error.__name__) for error in FOR_A_PERSON}
_REFUSED = f"{{% $lookup({json.dumps(_BY_ERROR)}, $states.input.error) %}}"
"""The decision, by the error that Filter raised."""


def _put(resources: Resources, decision: str, names: dict[str, str]) -> dict[str, object]:
    def text(name: str) -> dict[str, str]:
        return {"S": f"{{% $states.input.{names.get(name, name)} %}}"}

    def number(expression: str) -> dict[str, str]:
        return {"N": f"{{% $string({expression}) %}}"}

    item: dict[str, object] = {
        "object": {"S": f"{{% $states.input.{names['bucket']} & '/' & $states.input.{names['key']} %}}"},
        **{name: text(name) for name in ("version", "bucket", "key", "inference_id", "label", "model")},
        **{name: number(f"$states.input.{name}") for name in ("confidence", "margin", "threshold")},
        # a state's expression has no context: `$` is of no use in it
        "inferences": {"L": "{% [$map($states.input.inferences, function($value) { {'N': $string($value)} })] %}"},
        "decision": {"S": decision},
        "execution": {"S": "{% $states.context.Execution.Id %}"},
        "decided_at": {"S": "{% $now() %}"},
        "expires_at": number(f"$floor($millis() / 1000) + {resources.retention_days * 24 * 60 * 60}"),
    }
    if decision == "accepted":
        item["loading_bay"] = text("loading_bay")
    return {
        "TableName": resources.decisions_table,
        "Item": item,
        # The first decision on a version stands. The execution that made it may write it again: a put whose
        # answer was lost is retried, and must not look like a duplicate, or nothing would be published.
        "ConditionExpression": "attribute_not_exists(#object) OR #execution = :execution",
        "ExpressionAttributeNames": {"#object": "object", "#execution": "execution"},
        "ExpressionAttributeValues": {":execution": {"S": "{% $states.context.Execution.Id %}"}},
    }


def _event(resources: Resources) -> dict[str, object]:
    same = ("inference_id", "label", "confidence", "margin", "threshold", "loading_bay", "model")
    detail = {
        **{name: f"{{% $states.input.{key} %}}" for name, key in _SUCCESS_NAMES.items()},
        **{name: f"{{% $states.input.{name} %}}" for name in same},
        "execution": "{% $states.context.Execution.Id %}",
        "decided_by": BY_THE_MODEL,
    }
    entry = {
        "EventBusName": resources.event_bus,
        "Source": EVENT_SOURCE,
        "DetailType": EVENT_TYPE,
        "Detail": detail,
    }
    return {"Entries": [entry]}


def _alert(resources: Resources) -> dict[str, object]:
    return {
        "TopicArn": resources.alert_topic,
        # a subject takes 100 printable ASCII characters (SNS API reference, Publish)
        "Subject": "{% $substring('Scones: ' & $replace($states.input.error, /[^ -~]/, '?'), 0, 100) %}",
        "Message": (
            "{% 's3://' & $states.input.bucket & '/' & $states.input.key & ' needs a person.\\n'"
            " & $states.input.error & ': ' & $states.input.message"
            " & '\\nExecution: ' & $states.input.execution %}"
        ),
    }
