"""Another team's program: three of the components, other classes, and an endpoint that somebody else runs."""

from __future__ import annotations

import pulumi
from pulumi_aws import get_caller_identity, get_partition, get_region

from components.batch_classification import BatchClassification
from components.classification_workflow import ClassificationWorkflow
from components.data_bucket import DataBucket

RAMPS = {"parcel": "ramp A", "pallet": "ramp B", "roll_container": "ramp C"}

config = pulumi.Config()
endpoint = config.require("endpointName")
account = get_caller_identity().account_id
place = f"arn:{get_partition().partition}:sagemaker:{get_region().region}:{account}"

photos = DataBucket("photos", {"capture_retention_days": 30})
ramp = ClassificationWorkflow(
    "ramp",
    {
        "bucket": photos.bucket,
        "bucket_arn": photos.arn,
        "account_id": account,
        "endpoint_name": endpoint,
        "endpoint_arn": f"{place}:endpoint/{endpoint}",
        "endpoint_configuration": config.require("endpointConfiguration"),
        "model_name": endpoint,
        "classes": list(RAMPS),
        "loading_bays": RAMPS,
        "confidence_threshold": config.require_float("confidenceThreshold"),
        "image_size": 224,
        "max_image_bytes": 20_000_000,
        "max_image_pixels": 50_000_000,
        "layer_path": config.require("layerPath"),
        "decision_retention_days": 90,
        "log_retention_days": 30,
    },
)

archive = BatchClassification(
    "archive",
    {
        "bucket": photos.bucket,
        "bucket_arn": photos.arn,
        "account_id": account,
        "places": ramp.places,
        "concurrency": 50,
    },
)

pulumi.export("bucket", photos.bucket)
pulumi.export("reviewQueueUrl", ramp.review_queue_url)
pulumi.export("batchStateMachineArn", archive.state_machine_arn)
