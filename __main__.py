"""The map of the system: settings -> bucket -> model and endpoint -> workflow -> observability -> outputs."""

from dataclasses import asdict

import pulumi
from pulumi_aws import get_caller_identity

from components import settings
from components.classification_workflow import ClassificationWorkflow
from components.data_bucket import DataBucket
from components.observability import METRIC_NAMESPACE, Observability
from components.training_endpoint import VARIANT, TrainingEndpoint
from contract import prefixes

stack = settings.load()
account_id = get_caller_identity().account_id
key = {"kms_key_arn": stack.kms_key_arn}

data = DataBucket("data", {"capture_retention_days": stack.retention.capture_days, **key})
here = {"bucket": data.bucket, "bucket_arn": data.arn, "account_id": account_id, **key}
model = TrainingEndpoint(
    "model",
    {
        **here,
        "region": stack.region,
        "dataset_dir": str(stack.training.dataset_dir),
        "hyperparameters": stack.training.hyperparameters,
        "image_uri": stack.training.image_uri,
        "training_instance_type": stack.training.instance_type,
        "training_spot": stack.training.spot,
        "training_max_minutes": stack.training.max_minutes,
        "endpoint_name": f"{pulumi.get_project()}-{pulumi.get_stack()}",
        **asdict(stack.endpoint),
    },
)

workflow = ClassificationWorkflow(
    "workflow",
    {
        **here,
        "endpoint_name": model.endpoint_name,
        "endpoint_arn": model.endpoint_arn,
        "model_name": model.training_job_name,
        "classes": stack.classes,
        "loading_bays": stack.loading_bays,
        "confidence_threshold": stack.confidence_threshold,
        "image_size": stack.training.image_size,
        "max_image_bytes": stack.images.max_bytes,
        "max_image_pixels": stack.images.max_pixels,
        "layer_path": str(stack.layer_path),
        "decision_retention_days": stack.retention.decision_days,
        "log_retention_days": stack.retention.log_days,
        "alert_email": stack.alerts.email,
    },
)

observability = Observability(
    "observability",
    {
        "bucket": data.bucket,
        "bucket_arn": data.arn,
        "endpoint_name": model.endpoint_name,
        "variant_name": VARIANT,
        "state_machine_arn": workflow.state_machine_arn,
        "functions": workflow.functions,
        "review_queue_name": workflow.review_queue_name,
        "dead_letter_queue_name": workflow.dead_letter_queue_name,
        "alert_topic_arn": workflow.alert_topic_arn,
        "layer_arn": workflow.layer_arn,
        "classes": list(stack.classes),
        "loading_bays": stack.loading_bays,
        "confidence_threshold": stack.confidence_threshold,
        "review_rate_alarm_percent": stack.alerts.review_rate_percent,
        "log_retention_days": stack.retention.log_days,
        "retrain_event_bus_arn": workflow.event_bus_arn if stack.alerts.retrain_on_drift else None,
        **key,
    },
)

pulumi.export("bucket", data.bucket)
pulumi.export("endpointName", model.endpoint_name)
pulumi.export("endpointMode", stack.endpoint.mode)
pulumi.export("trainingJobName", model.training_job_name)
pulumi.export("modelArtifact", model.model_artifact)
pulumi.export("stateMachineArn", workflow.state_machine_arn)
pulumi.export("decisionsTable", workflow.decisions_table)
pulumi.export("reviewQueueUrl", workflow.review_queue_url)
pulumi.export("alertTopicArn", workflow.alert_topic_arn)
pulumi.export("eventBusName", workflow.event_bus_name)
pulumi.export("captureUri", pulumi.Output.concat("s3://", data.bucket, "/", prefixes.CAPTURE))
pulumi.export("baselineUri", pulumi.Output.concat("s3://", data.bucket, "/", prefixes.BASELINE_FILE))
pulumi.export("classes", list(stack.classes))
pulumi.export("confidenceThreshold", stack.confidence_threshold)
pulumi.export("loadingBays", dict(stack.loading_bays))
pulumi.export("imageSize", stack.training.image_size)
pulumi.export("functions", {**workflow.functions, "observe": observability.function_name})
pulumi.export("dashboardName", observability.dashboard_name)
pulumi.export("metricNamespace", METRIC_NAMESPACE)
