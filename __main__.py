"""The map of the system: settings -> bucket -> model and endpoint -> workflow, batch -> observability -> retraining."""

from __future__ import annotations

import pulumi
from pulumi_aws import get_caller_identity

from components import settings
from components.batch_classification import BatchClassification
from components.classification_workflow import ClassificationWorkflow
from components.data_bucket import DataBucket
from components.model_register import ModelRegister
from components.observability import METRIC_NAMESPACE, Observability
from components.retraining import Retraining
from components.training_endpoint import TrainingEndpoint
from contract.outputs import exports
from contract.register import group_name

stack = settings.load()
caller = get_caller_identity()
account_id = caller.account_id
data = DataBucket("data", {
    "photo_retention_days": stack.retention.photo_days, "capture_retention_days": stack.retention.capture_days,
    "correction_retention_days": stack.retention.correction_days, "protect": stack.protect_data,
    "kms_key_arn": stack.kms_key_arn,
})  # fmt: skip
register = ModelRegister("register", {
    "group_name": group_name(pulumi.get_project(), pulumi.get_stack()), "account_id": account_id,
    "region": stack.region, "protect": stack.protect_data, "log_retention_days": stack.retention.log_days,
    "kms_key_arn": stack.kms_key_arn,
})  # fmt: skip
model = TrainingEndpoint("model", {
    "bucket": data.bucket, "bucket_arn": data.arn, "account_id": account_id, "region": stack.region,
    "image_uri": stack.image_uri, "training": stack.training, "promoted": stack.promoted,
    "trained_job": stack.trained_job, "baseline": stack.baseline,
    "register": {"group": register.arn, "deployed_by": caller.arn, "target_risk": stack.target_risk},
    "retrains": stack.alerts.retrain_on_drift,
    "endpoint_name": f"{pulumi.get_project()}-{pulumi.get_stack()}",
    "realtime": stack.realtime, "serverless": stack.serverless,
    "log_retention_days": stack.retention.log_days, "kms_key_arn": stack.kms_key_arn,
})  # fmt: skip

workflow = ClassificationWorkflow("workflow", {
    "bucket": data.bucket, "bucket_arn": data.arn, "account_id": account_id,
    "endpoint_name": model.endpoint_name, "endpoint_arn": model.endpoint_arn,
    "endpoint_configuration": model.endpoint_configuration, "model_name": model.training_job_name,
    "classes": stack.labels, "loading_bays": stack.loading_bays, "confidence_threshold": stack.confidence_threshold,
    "image_size": stack.image_size, "max_image_bytes": stack.images.max_bytes,
    "max_image_pixels": stack.images.max_pixels, "layer_path": str(stack.layer_path),
    "decision_retention_days": stack.retention.decision_days, "log_retention_days": stack.retention.log_days,
    "alert_email": stack.alerts.email, "budgets_may_publish": stack.alerts.monthly_budget_dollars > 0,
    "kms_key_arn": stack.kms_key_arn,
})  # fmt: skip

observability = Observability("observability", {
    "bucket": data.bucket, "bucket_arn": data.arn, "endpoint_name": model.endpoint_name,
    "variant_name": model.variant_name, "state_machine_arn": workflow.state_machine_arn,
    "functions": workflow.functions, "review_queue_name": workflow.review_queue_name,
    "dead_letter_queue_name": workflow.dead_letter_queue_name, "alert_topic_arn": workflow.alert_topic_arn,
    "layer_arn": workflow.layer_arn, "classes": list(stack.labels), "loading_bays": stack.loading_bays,
    "confidence_threshold": stack.confidence_threshold,
    "review_rate_alarm_percent": stack.alerts.review_rate_percent,
    "monthly_budget_dollars": stack.alerts.monthly_budget_dollars, "log_retention_days": stack.retention.log_days,
    "retrain_event_bus_arn": workflow.event_bus_arn if stack.alerts.retrain_on_drift else None,
    "kms_key_arn": stack.kms_key_arn,
})  # fmt: skip

batch = BatchClassification("batch", {
    "bucket": data.bucket, "bucket_arn": data.arn, "account_id": account_id, "places": workflow.places,
    "concurrency": stack.batches.concurrency, "tolerated_failure_percent": stack.batches.tolerated_failure_percent,
    "kms_key_arn": stack.kms_key_arn,
})  # fmt: skip

outputs = exports(
    bucket=data.bucket, capture_uri=data.capture_uri, baseline_uri=data.baseline_uri,
    endpoint_name=model.endpoint_name, endpoint_mode="realtime" if stack.realtime else "serverless",
    training_job_name=model.training_job_name, model_artifact=model.model_artifact, evidence_uri=model.evidence_uri,
    model_package_group=register.arn, target_risk_percent=round(100 * stack.target_risk, 6),
    state_machine_arn=workflow.state_machine_arn, decisions_table=workflow.decisions_table,
    review_queue_url=workflow.review_queue_url, dead_letter_queue_url=workflow.dead_letter_queue_url,
    alert_topic_arn=workflow.alert_topic_arn, event_bus_name=workflow.event_bus_name,
    functions={**workflow.functions, "observe": observability.function_name},
    dashboard_name=observability.dashboard_name, metric_namespace=METRIC_NAMESPACE, region=stack.region,
    classes=list(stack.classes), labels=list(stack.labels), loading_bays=dict(stack.loading_bays),
    confidence_threshold=stack.confidence_threshold, image_size=stack.image_size,
    decision_retention_days=stack.retention.decision_days, photo_retention_days=stack.retention.photo_days,
    retraining={**stack.retraining, "role_arn": model.role_arn} if stack.retraining else {},
    batch_state_machine_arn=batch.state_machine_arn, batch_concurrency=stack.batches.concurrency,
)  # fmt: skip
if stack.retraining:
    Retraining("retraining", {
        "bucket": data.bucket, "bucket_arn": data.arn, "account_id": account_id, "region": stack.region,
        "event_bus_name": workflow.event_bus_name, "endpoint_arn": model.endpoint_arn,
        "alert_topic_arn": workflow.alert_topic_arn, "model_package_group_arn": register.arn,
        "training_role_arn": model.role_arn, "max_minutes": int(stack.retraining["max_minutes"]),
        "outputs": outputs, "log_retention_days": stack.retention.log_days, "kms_key_arn": stack.kms_key_arn,
    })  # fmt: skip
for name, value in outputs.items():
    pulumi.export(name, value)
