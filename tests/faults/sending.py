"""The ways in which a fault's photo, or its event, comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from contract.photos import StoredObject
from tests.faults.files import FILES
from tests.faults.stack import FaultyStack, key_of
from tests.faults.table import Fault
from tests.localcloud.processes import eventually

Send = Callable[[FaultyStack, Fault], list[StoredObject]]
"""Sends, and says which versions are to be found."""
TEST_KEY = "test/faults/"
"""Where an upload is no event."""


def upload(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    photo = FILES[fault.file](stack, fault.name)
    if fault.answers:
        stack.answers(photo, fault.answers)
    return [stack.put(key_of(fault.name), photo)]


def an_event_alone(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    photo = StoredObject(stack.bucket, key_of(fault.name), "")
    stack.start({"s3_bucket": photo.bucket, "s3_key": photo.key, "image_data": ""})
    return [photo]


def delete_the_version(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    (photo,) = upload(stack, fault)
    stack.client("s3").delete_object(Bucket=photo.bucket, Key=photo.key, VersionId=photo.version)
    return [photo]


def delete_the_object(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    (photo,) = upload(stack, fault)
    stack.client("s3").delete_object(Bucket=photo.bucket, Key=photo.key)
    return [photo]


def overwrite(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    return [*upload(stack, fault), stack.put(key_of(fault.name), stack.photo(fault.name + " again"))]


def a_hundred_megabytes(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    """Put together within the storage, which is faster than sending them."""
    s3, key = stack.client("s3"), key_of(fault.name)
    part = stack.put(f"{TEST_KEY}part", bytes(10_000_000))
    upload = s3.create_multipart_upload(Bucket=part.bucket, Key=key)["UploadId"]
    parts = []
    for number in range(1, 11):
        copied = s3.upload_part_copy(
            Bucket=part.bucket, Key=key, UploadId=upload, PartNumber=number, CopySource=f"{part.bucket}/{part.key}"
        )
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(Bucket=part.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    return [StoredObject(part.bucket, key, s3.head_object(Bucket=part.bucket, Key=key)["VersionId"])]


def make_a_folder(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    return [stack.put(key_of(fault.name).removesuffix(".png") + "/", b"")]


def five_at_once(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    (photo,) = upload(stack, fault)
    for _ in range(4):
        stack.start(photo)
    return [photo]


def newest_first(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    key = f"{TEST_KEY}{fault.name}.png"
    older, newer = (stack.put(key, stack.photo(f"{fault.name} {each}")) for each in ("older", "newer"))
    stack.start(newer)
    stack.start(older)
    return [older, newer]


def without_version(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    photo = stack.put(f"{TEST_KEY}{fault.name}.png", stack.photo(fault.name))
    stack.start({"s3_bucket": photo.bucket, "s3_key": photo.key, "image_data": ""})
    return [photo]


def without_photo(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    stack.start({"image_data": "", "said": fault.name})
    return [StoredObject("", "", "")]


def abort(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    photo = stack.put(f"{TEST_KEY}{fault.name}.png", stack.photo(fault.name))
    execution = stack.start(photo)
    stack.client("stepfunctions").stop_execution(executionArn=execution, cause="somebody pressed the button")
    return [photo]


@contextlib.contextmanager
def led_astray(stack: FaultyStack, name: str) -> Iterator[None]:
    """Meanwhile a rule leads to what is gone."""
    events = stack.client("events")
    (rule,) = [each for each in events.list_rules()["Rules"] if name in each["Name"]]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    events.put_targets(Rule=rule["Name"], Targets=[{**target, "Arn": target["Arn"] + "-gone"}])
    try:
        yield
    finally:
        events.put_targets(Rule=rule["Name"], Targets=[target])


def while_nothing_is_there(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    with led_astray(stack, "uploads"):
        photos = upload(stack, fault)
        eventually(lambda: stack.letters_of(photos), 8)
        return photos


def while_no_queue_is_there(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    with led_astray(stack, "workflow-ended"):
        photos = upload(stack, fault)
        eventually(lambda: stack.letters_of(photos), 8)
        return photos


def under_another_definition(stack: FaultyStack, fault: Fault) -> list[StoredObject]:
    (photo,) = upload(stack, fault)
    # the emulator looks at the definition a moment after it says that the execution runs
    assert eventually(lambda: [arn for arn in stack.running() if stack.has_entered_a_state(arn)], 20)
    stack.define({"StartAt": "Other", "States": {"Other": {"Type": "Fail", "Error": "Other"}}})
    try:
        stack.wait(30)
    finally:
        stack.define(stack.definition)
    return [photo]


SENT: Mapping[str, Send] = {
    "": upload,
    "started": an_event_alone,
    "deleted": delete_the_version,
    "hidden": delete_the_object,
    "overwritten": overwrite,
    "100 MB": a_hundred_megabytes,
    "folder": make_a_folder,
    "twice": upload,
    "five at once": five_at_once,
    "out of order": newest_first,
    "without version": without_version,
    "without photo": without_photo,
    "aborted": abort,
    "undelivered": while_nothing_is_there,
    "queue gone": while_no_queue_is_there,
    "replaced": under_another_definition,
}
ALONE = ("undelivered", "queue gone", "replaced")
"""Ways that would hit other photos too."""
