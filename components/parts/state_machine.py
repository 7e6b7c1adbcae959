"""The state machine's definition: a pure function from names and ARNs to Amazon States Language in JSONata.

Serialize -> Classify -> Filter -> Record -> Publish -> Routed
Whatever fails on the way: (RecordReview ->) SendToReview -> Alert -> Failed.

Every Catch turns the fault into the review queue's message at once (`_failure`), so that nothing after it
has to know where it came from, and the picture itself travels no further than Classify.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypedDict

from contract import errors
from contract.decisions import EVENT_SOURCE, EVENT_TYPE, outcome_of

LAMBDA_TRANSIENT = (
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
    partition = resources.partition
    to_review = _catch("States.ALL", "SendToReview", _failure())
    return {
        "Comment": "A photo becomes a routed driver, or a failed execution and a message for a person",
        "QueryLanguage": "JSONata",
        "StartAt": "Serialize",
        "States": {
            "Serialize": _function(partition, "serialize", resources.serialize, "Classify", [to_review]),
            "Classify": _function(partition, "classify", resources.classify, "Filter", [to_review]),
            "Filter": _function(
                partition,
                "filter",
                resources.filter,
                "Record",
                [*(_catch(error.__name__, "RecordReview", _failure()) for error in FOR_A_PERSON), to_review],
            ),
            "Record": _task(
                partition,
                "dynamodb:putItem",
                _put(resources, "accepted", _SUCCESS_NAMES),
                "Publish",
                DYNAMODB_TRANSIENT,
                [_catch(DUPLICATE, "AlreadyDecided", _INPUT), to_review],
            ),
            "Publish": _task(partition, "events:putEvents", _event(resources), "Routed", EVENTS_TRANSIENT, [to_review]),
            "Routed": {"Type": "Succeed"},
            "AlreadyDecided": {"Type": "Succeed"},
            "RecordReview": _task(
                partition,
                "dynamodb:putItem",
                _put(resources, _REFUSED, _FAILURE_NAMES),
                "SendToReview",
                DYNAMODB_TRANSIENT,
                # a duplicate was sent to a person before; no other fault may keep the photo from that person
                [_catch(DUPLICATE, "Failed", _INPUT), _catch("States.ALL", "SendToReview", _INPUT)],
            ),
            "SendToReview": _task(
                partition,
                "sqs:sendMessage",
                {"QueueUrl": resources.review_queue_url, "MessageBody": "{% $string($states.input) %}"},
                "Alert",
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
                "Error": "{% $substring($states.input.error, 0, 256) %}",
                "Cause": "{% $substring($states.input.message, 0, 32768) %}",
            },
        },
    }


_INPUT = "{% $states.input %}"
_UNQUEUED = (
    "{% $merge([$states.input, {'message': $states.input.message"
    " & ' (not in the review queue: ' & $states.errorOutput.Error & ')'}]) %}"
)
_WITHOUT_IMAGE = "{% $sift($states.result.Payload, function($value, $key) { $key != 'image_data' }) %}"


_DIGIT, _TAIL = "[0-9a-f]", "%[89ab][0-9a-f]"
_CHARACTERS = (
    f"%[0-7]{_DIGIT}|%(c[2-9a-f]|d{_DIGIT}){_TAIL}"
    f"|(%e0%[ab]{_DIGIT}|%e[1-9a-cef]{_TAIL}|%ed%[89]{_DIGIT}){_TAIL}"
    f"|(%f0%[9ab]{_DIGIT}|%f[1-3]{_TAIL}|%f4%8{_DIGIT}){_TAIL}{_TAIL}"
)
_ENCODED_UTF8 = f"/^[^%]*(({_CHARACTERS})[^%]*)*$/i"
"""What can be decoded (RFC 3629, "Syntax of UTF-8 Byte Sequences"): a function that fails in a Catch's output would
end the execution behind the review queue's back."""


def _failure() -> str:
    """The review queue's message about the fault that is being caught; keys that are unknown are absent.

    Paths are spelled out, instead of merging the input, so that an input of any shape gets here. The photo is the
    one that `contract.photos.read_photo` reads: a notification's key is decoded. Texts are cut to what the queue
    and the Fail state take.
    """
    photo = {
        "bucket": ("$record.bucket.name", "$states.input.detail.bucket.name", "$states.input.s3_bucket"),
        "key": ("$key", "$states.input.detail.object.key", "$states.input.s3_key"),
        "version": ("$record.object.versionId", "$states.input.detail.object.`version-id`", "$states.input.s3_version"),
    }
    first = ", ".join(
        f"'{name}': $substring($string([{', '.join(paths)}][0]), 0, 1024)" for name, paths in photo.items()
    )
    codes = json.dumps([error.CODE for error in FOR_A_PERSON])
    return (
        "{% ("
        # Lambda's cause is a JSON object with errorMessage, unless it was cut off; others' is a text
        "$cause := $string($states.errorOutput.Cause); $cause := $exists($cause) ? $cause : 'no cause given';"
        " $object := $substring($cause, 0, 1) = '{' and $substring($cause, -1) = '}' ? $parse($cause) : {};"
        " $said := $exists($object.errorMessage) ? $string($object.errorMessage) : $cause;"
        f" $figures := $substringBefore($said, ' ') in {codes} and $substring($said, -1) = '}}'"
        " ? $parse($substringAfter($said, ' ')) : {};"
        " $record := $states.input.Records[0].s3; $encoded := $string($record.object.key);"
        f" $key := $contains($encoded, {_ENCODED_UTF8})"
        " ? $decodeUrlComponent($replace($encoded, '+', ' ')) : $encoded;"
        " $merge([{"
        f"{first},"
        " 'error': $states.errorOutput.Error, 'message': $substring($said, 0, 8192),"
        " 'inferences': [$states.input.inferences], 'inference_id': $states.input.inference_id,"
        " 'model': $states.input.model, 'execution': $states.context.Execution.Id"
        "}, $figures])) %}"
    )


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
        "inferences": {"L": "{% [$states.input.inferences.{'N': $string($)}] %}"},
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
