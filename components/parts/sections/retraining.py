"""How a stack trains beside its program, when the model drifts."""

from __future__ import annotations

from collections.abc import Mapping

from components.parts import bounds
from components.parts.config_reader import ConfigReader
from components.parts.trained_model import TrainingArgs
from contract.names import PROJECT
from contract.retraining import NO, YES
from training.job.hyperparameters import check_training_instance


def read_retraining(
    reader: ConfigReader,
    retrains: bool,
    training: TrainingArgs | None,
    *,
    stack: str,
    image_uri: str,
    kms_key_arn: str | None,
) -> Mapping[str, str]:
    """What `contract.retraining` says of a plan, but for the role; nothing when the stack does not retrain.

    A stack that takes its model from another one trains nothing by itself, and its settings of a training are those of
    a retraining.

    Args:
        reader: of the stack's settings, all others of which are read.
        retrains: whether it retrains.
        training: how the stack trains; None when it has a model.
        stack: its name.
        image_uri: the algorithm's image.
        kms_key_arn: a customer's key, if there is one.
    """
    if not retrains:
        return {}
    if training is None:
        instance_type, spot = reader.text("trainingInstanceType"), reader.boolean("trainingSpot")
        minutes = reader.whole_number("trainingMaxMinutes", *bounds.TRAINING_MINUTES)
        if reader.is_good("trainingInstanceType"):
            reader.add(check_training_instance(instance_type))
    else:
        instance_type, spot, minutes = training["instance_type"], training["spot"], training["max_minutes"]
    if reader.is_good("trainingMaxMinutes") and not bounds.RETRAINING_MINUTES.takes(minutes):
        most = bounds.RETRAINING_MINUTES.most
        allowed = f"be at most {most} where retrainOnDrift is true, as a build ends after 36 hours"
        reader.must("trainingMaxMinutes", allowed, str(minutes))
    return {
        "project": PROJECT,
        "stack": stack,
        "image_uri": image_uri,
        "instance_type": instance_type,
        "spot": YES if spot else NO,
        "max_minutes": str(minutes),
        "kms_key_arn": kms_key_arn or "",
        # whoever is refused for it is not told twice
        "requires_evidence": YES if reader.is_good("requireEvidence") and reader.boolean("requireEvidence") else NO,
    }
