"""What answers a batch: the endpoint as it is at the moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from operations.batch.estimate import ModelCapacity

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

SIZES = {"medium": 1, "large": 2, "xlarge": 4}


def processors_of(instance_type: str) -> int:
    """Virtual processors of an instance type, by its size, as the families m5, c5 and g4dn have them."""
    size = instance_type.rpartition(".")[2]
    many = re.fullmatch(r"(\d+)xlarge", size)
    return 4 * int(many[1]) if many else SIZES.get(size, 2)


def endpoint_of(sagemaker: SageMakerClient, name: str) -> ModelCapacity:
    """Look at an endpoint: its instances, or how much a serverless one answers at once."""
    described = sagemaker.describe_endpoint(EndpointName=name)
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    (variant, *_) = configuration["ProductionVariants"]
    if "ServerlessConfig" in variant:
        return ModelCapacity(variant["ServerlessConfig"]["MaxConcurrency"], 1)
    kind = str(variant.get("InstanceType", ""))
    there = [each.get("CurrentInstanceCount") for each in described.get("ProductionVariants", [])]
    instances = next((count for count in there if count), variant.get("InitialInstanceCount", 1))
    return ModelCapacity(instances, processors_of(kind), kind)
