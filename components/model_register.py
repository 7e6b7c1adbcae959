"""ModelRegister: which models a stack has trained and served, as versions of SageMaker's Model Registry."""

from __future__ import annotations

import json
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import lambda_, sagemaker

from components.parts import bounds, iam
from components.parts.arguments import Arguments
from components.parts.function import lambda_function
from components.parts.tags import tagged
from contract.names import component_type


class ModelRegisterArgs(TypedDict):
    """What a ModelRegister takes."""

    group_name: str
    """The register's name, 1 to 63 letters and digits with hyphens between them."""
    account_id: pulumi.Input[str]
    """The account's 12 digits."""
    region: str
    """The region of the register, such as us-east-1."""
    protect: NotRequired[bool]
    """Whether to refuse to delete the register, as without this argument; else it goes with all its versions."""
    log_retention_days: pulumi.Input[int]
    """Days after which the log of the function that empties the register is deleted: one of CloudWatch's values."""
    kms_key_arn: NotRequired[str | None]
    """ARN of a customer's KMS key for that log; AWS's own key encrypts without it."""


class ModelRegister(pulumi.ComponentResource):
    """A group of model versions, and what empties it before it is deleted.

    Versions are no resources of the stack: an evaluation or a deployment makes them. SageMaker deletes no group that
    holds some, so a function deletes them first; the provider invokes it when its Invocation is deleted. (A hook would
    do the same, but with one a plain `pulumi destroy` refuses to run.)
    """

    arn: pulumi.Output[str]
    """The group's."""

    def __init__(self, name: str, args: ModelRegisterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = Arguments("ModelRegister", name, args)
        given.required("group_name", bounds.REGISTER_NAME)
        given.required("account_id", bounds.ACCOUNT_ID)
        given.required("region", bounds.REGION)
        given.required("log_retention_days", bounds.LOG_RETENTION_DAYS)
        given.optional("protect", bounds.YES_OR_NO)
        given.optional("kms_key_arn", bounds.KMS_KEY)
        given.refuse()
        super().__init__(component_type("ModelRegister"), name, None, tagged("ModelRegister", opts))
        group, region, protect = args["group_name"], args["region"], args.get("protect", True)
        kept = pulumi.ResourceOptions(parent=self, protect=protect)
        made = sagemaker.ModelPackageGroup(f"{name}-group", model_package_group_name=group, opts=kept)
        statements = pulumi.Output.from_input(args["account_id"]).apply(
            lambda account: [iam.list_versions(region), iam.delete_versions(region, account, group)]
        )
        emptying = lambda_function(
            f"{name}-empty",
            "handlers.empty_register",
            service="empty_register",
            statements=statements,
            environment={"REGISTER": made.model_package_group_name},
            memory_mb=128,
            timeout_seconds=90,
            log_retention_days=args["log_retention_days"],
            parent=self,
            kms_key_arn=args.get("kms_key_arn"),
        )
        # protected as the register is: without it, or with another function, the versions would go
        lambda_.Invocation(
            f"{name}-emptied",
            function_name=emptying.function.name,
            input=json.dumps({}),
            lifecycle_scope="CRUD",
            opts=pulumi.ResourceOptions(parent=self, protect=protect, depends_on=[made]),
        )
        self.arn = made.arn
        self.register_outputs({"arn": self.arn})
