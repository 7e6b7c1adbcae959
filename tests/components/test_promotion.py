"""Settings of a stack that takes its model from another one, and of one that has been measured."""

from dataclasses import replace

import pytest

from components.parts.measured_model import MeasuredModel
from components.settings import SettingsError, parse
from contract.errors import UserError
from contract.promotion import ServedModel
from tests.components.test_settings import CLASSES, IMAGE, dataset, raw
from tests.contract.evidence_builders import evidence_of

LABELS = (*CLASSES, "neither")
MODEL = ServedModel(
    stack="dev",
    name="scones-dev-1a2b",
    artifact="s3://b/models/scones-dev-1a2b/output/model.tar.gz",
    evidence="s3://b/models/scones-dev-1a2b/evidence.json",
    labels=LABELS,
    image_size=32,
    region="us-east-1",
)
EVIDENCE = replace(
    evidence_of([*[(0.9, True)] * 500, *[(0.6, False)] * 100]), model=MODEL.name, labels=LABELS, recommended=None
)
MEASURED = MeasuredModel(MODEL, EVIDENCE, "e-tag")


def settings(measured=MEASURED, *, held=None, stack="prod", **overrides):
    values = {"modelFrom": "dev", "requireEvidence": "true", "neitherClass": "true", "confidenceThreshold": "0.9"}
    config = raw(stack, **(values | overrides))
    return parse(
        config, region="us-east-1", dataset=held, image=IMAGE, layer=raw()["layerPath"], stack=stack, measured=measured
    )


def problems(measured=MEASURED, **overrides) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(measured, **overrides)
    return caught.value.problems


def test_a_supported_model_of_another_stack_is_served_and_nothing_is_trained():
    found = settings()
    assert found.training is None and found.image_size == 32 and found.doubts == ()
    assert found.promoted == {
        "job_name": "scones-dev-1a2b",
        "artifact": "b/models/scones-dev-1a2b/output/model.tar.gz",
        "evidence": "b/models/scones-dev-1a2b/evidence.json",
        "evidence_etag": "e-tag",
        "materials": "b/models/scones-dev-1a2b/materials.zip",
    }


def test_a_threshold_that_the_evidence_does_not_support_is_refused_with_the_lowest_one_that_is():
    (problem,) = problems(confidenceThreshold="0.55")
    assert problem.startswith("scones:confidenceThreshold must be 0.9 or more to keep wrong answers at or below 2 %")
    assert problem.endswith("0.9 is the lowest that is supported and accepts 83 % of photos")
    assert settings(confidenceThreshold="0.9") and settings(confidenceThreshold="1")


def test_a_looser_target_lets_a_lower_threshold_pass():
    assert settings(confidenceThreshold="0.55", targetRiskPercent="25.5")
    assert len(problems(confidenceThreshold="0.55", targetRiskPercent="1.9e1")) == 1


def test_all_that_is_wrong_with_evidence_and_settings_comes_out_in_one_report():
    other = replace(EVIDENCE, model="scones-dev-ffff", labels=("tulip", "poppy"), image_size=224)
    found = problems(replace(MEASURED, evidence=other), confidenceThreshold="0.55", logRetentionDays=31)
    assert len(found) == 5
    for part in ("scones-dev-ffff", "tulip, poppy", "224 pixels", "confidenceThreshold must", "logRetentionDays must"):
        assert [each for each in found if part in each], part
    assert all(each.startswith("scones:requireEvidence: the evidence in s3://b/") for each in found if "got tu" in each)


def test_a_model_without_evidence_is_refused_where_it_is_required_and_warned_of_elsewhere():
    missing = MeasuredModel(MODEL, UserError("the model has no evidence"))
    assert problems(missing) == ["scones:requireEvidence: the model has no evidence"]
    found = settings(missing, requireEvidence="false")
    assert found.doubts == ("the model has no evidence",)
    assert found.promoted and found.promoted.keys() == {"job_name", "artifact", "materials"}


def test_a_model_of_other_classes_is_refused_whatever_its_evidence_says():
    (problem,) = problems(replace(MEASURED, model=replace(MODEL, labels=("poppy", "tulip", "neither"))))
    assert problem == (
        'scones:classes must be the classes of the model of stack dev, ["poppy", "tulip"] in this order, '
        'got ["bicycle", "motorcycle"]'
    )
    (problem,) = problems(neitherClass="false", requireEvidence="false")
    assert problem == "scones:neitherClass must be true, as the model of stack dev was trained, got false"


def test_a_stack_that_can_t_be_read_or_serves_nothing_is_told_by_its_name():
    (problem,) = problems(UserError("unknown stack 'dev'"))
    assert problem == "scones:modelFrom is \"dev\": unknown stack 'dev'"
    (problem,) = problems(None)
    assert problem.startswith('scones:modelFrom is "dev": that stack serves no model yet')


def test_the_model_of_a_finished_job_is_served_whatever_model_from_says_once_its_evidence_supports_it():
    found = settings(modelJob=MODEL.name)
    assert (found.trained_job, found.promoted, found.training, found.image_size) == (MODEL.name, None, None, 32)
    assert settings(modelJob=MODEL.name, modelFrom="", stack="dev").trained_job == MODEL.name
    (problem,) = problems(modelJob=MODEL.name, confidenceThreshold="0.55")
    assert problem.startswith("scones:confidenceThreshold must be 0.9 or more")


def test_a_finished_job_of_other_classes_or_without_evidence_or_bucket_is_refused():
    other = replace(MEASURED, model=replace(MODEL, labels=("poppy", "tulip", "neither")))
    (problem,) = problems(other, modelJob="a-job")
    assert problem.startswith("scones:classes must be the classes of the model of a-job")
    missing = MeasuredModel(MODEL, UserError("it has no evidence"))
    (problem, *_) = problems(missing, modelJob="a-job", requireEvidence="false")
    assert problem == 'scones:modelJob is "a-job": it has no evidence'
    (problem,) = problems(None, modelJob="a-job")
    assert problem == 'scones:modelJob is "a-job": the stack has no bucket yet; bring it up without modelJob first'
    assert problems(UserError("no such stack"), modelJob="a-job") == ['scones:modelJob is "a-job": no such stack']


def test_a_stack_takes_no_model_from_itself():
    (problem,) = problems(modelFrom="prod")
    assert problem == 'scones:modelFrom must be another stack than this one, got "prod"'


def test_a_stack_that_trains_its_own_model_is_warned_once_that_serves():
    own = {"modelFrom": "", "requireEvidence": "false", "held": dataset(LABELS), "stack": "dev"}
    assert settings(None, **own).doubts == ()
    (doubt,) = settings(confidenceThreshold="0.55", **own).doubts
    assert doubt.startswith("scones:confidenceThreshold must be 0.9 or more")
    assert settings(**own).promoted is None and settings(**own).training
