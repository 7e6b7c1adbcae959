"""SageMaker's Model Registry: groups, and the versions in them.

moto has it too, but deletes neither, counts a version's number anew after a deletion, and forgets an approval and the
properties that an update does not repeat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Answer = dict[str, Any]
DESCRIBED = (
    *("ModelPackageDescription", "InferenceSpecification", "ModelApprovalStatus", "ApprovalDescription"),
    *("CustomerMetadataProperties",),
)
"""What a version keeps of the request that made it."""


class Refusal(Exception):
    """What SageMaker would refuse: its code and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Register:
    """The records of one account and region.

    Args:
        place: region and account, as ARNs have them.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.groups: dict[str, Answer] = {}
        self.versions: dict[str, dict[int, Answer]] = {}
        self.last: dict[str, int] = {}
        self.lock = threading.Lock()
        self.actions: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": lambda request: self.groups[self._group(request)],
            "ListModelPackageGroups": lambda request: {"ModelPackageGroupSummaryList": list(self.groups.values())},
            "DeleteModelPackageGroup": self._delete_group,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": lambda request: self._version(request["ModelPackageName"]),
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
            "ListModelPackages": self._list,
        }

    def answer(self, action: str, request: Mapping[str, Any]) -> Answer | None:
        """The answer to a request; None when it is about something else.

        Raises:
            Refusal: SageMaker would not do it.
        """
        if action not in self.actions:
            return None
        with self.lock:
            return self.actions[action](request)

    def tagging(self, action: str, request: Mapping[str, Any]) -> Answer | None:
        """The answer to a request about a group's tags; None when it is about those of something else."""
        found = next(
            (each for each in self.groups.values() if each["ModelPackageGroupArn"] == request["ResourceArn"]), None
        )
        if found is None:
            return None
        new, gone = request.get("Tags", []), request.get("TagKeys", [])
        replaced = {*gone, *(tag["Key"] for tag in new)}
        found["Tags"] = [*(tag for tag in found["Tags"] if tag["Key"] not in replaced), *new]
        return {} if action == "DeleteTags" else {"Tags": found["Tags"]}

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:aws:sagemaker:{self.place}:{kind}/{name}"

    def _group(self, request: Mapping[str, Any]) -> str:
        name = str(request.get("ModelPackageGroupName", "")).rpartition("/")[2]
        if name not in self.groups:
            arn = self._arn("model-package-group", name)
            raise Refusal("ValidationException", f"ModelPackageGroup {arn} does not exist.")
        return name

    def _version(self, arn: str) -> Answer:
        group, _, number = arn.partition(":model-package/")[2].rpartition("/")
        found = self.versions.get(group, {}).get(int(number) if number.isdigit() else 0)
        if found is None:
            raise Refusal("ValidationException", f"ModelPackage {arn} does not exist.")
        return found

    def _create_group(self, request: Mapping[str, Any]) -> Answer:
        name = request["ModelPackageGroupName"]
        if name in self.groups:
            raise Refusal("ValidationException", f"Model Package Group already exists: {name}")
        arn = self._arn("model-package-group", name)
        self.groups[name] = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupDescription": request.get("ModelPackageGroupDescription", ""),
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": time.time(),
            "CreatedBy": {},
            "Tags": list(request.get("Tags", [])),
        }
        self.versions[name] = {}
        return {"ModelPackageGroupArn": arn}

    def _delete_group(self, request: Mapping[str, Any]) -> Answer:
        name = self._group(request)
        if held := len(self.versions[name]):
            raise Refusal(
                "ConflictException", f"The model package group {name} can't be deleted: it holds {held} model packages."
            )
        del self.groups[name], self.versions[name]
        return {}

    def _create(self, request: Mapping[str, Any]) -> Answer:
        name = self._group(request)
        self.last[name] = number = self.last.get(name, 0) + 1
        arn = self._arn("model-package", f"{name}/{number}")
        self.versions[name][number] = {
            "ModelPackageGroupName": name,
            "ModelPackageVersion": number,
            "ModelPackageArn": arn,
            "ModelPackageName": name,
            "CreationTime": time.time(),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            **{key: request[key] for key in DESCRIBED if key in request},
        }
        return {"ModelPackageArn": arn}

    def _update(self, request: Mapping[str, Any]) -> Answer:
        found = self._version(request["ModelPackageArn"])
        properties = {**found.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        for name in request.get("CustomerMetadataPropertiesToRemove", []):
            properties.pop(name, None)
        found.update({key: request[key] for key in DESCRIBED if key in request}, LastModifiedTime=time.time())
        found["CustomerMetadataProperties"] = properties
        return {"ModelPackageArn": found["ModelPackageArn"]}

    def _delete(self, request: Mapping[str, Any]) -> Answer:
        found = self._version(request["ModelPackageName"])
        del self.versions[found["ModelPackageGroupName"]][found["ModelPackageVersion"]]
        return {}

    def _list(self, request: Mapping[str, Any]) -> Answer:
        name = self._group(request)
        told = ("InferenceSpecification", "CustomerMetadataProperties", "ApprovalDescription")
        found = [
            {key: value for key, value in each.items() if key not in told} for each in self.versions[name].values()
        ]
        begin, most = int(request.get("NextToken", 0)), int(request.get("MaxResults", 10))
        more = {"NextToken": str(begin + most)} if begin + most < len(found) else {}
        return {"ModelPackageSummaryList": found[begin : begin + most], **more}
