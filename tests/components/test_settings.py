import functools
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from components.settings import KEYS, SettingsError, parse
from contract.errors import UserError
from contract.stacks import read_stack
from tests.assertions import at_least_one
from tests.components.stack import ROOT
from training.dataset.manifest import DatasetError, Manifest

CLASSES = ("bicycle", "motorcycle")


def dataset(classes=CLASSES) -> Manifest:
    return Manifest("recordio", classes, 32, {"train": 800, "validation": 200, "test": 200}, {}, "0" * 64)


@functools.cache
def configured(stack: str) -> dict[str, object]:
    namespace = "scones:"
    values = read_stack(ROOT, stack).values
    return {key.removeprefix(namespace): value for key, value in values.items() if key.startswith(namespace)}


def raw(stack: str = "dev", **overrides: object) -> dict[str, object]:
    return {**configured(stack), "neitherClass": "false", **overrides}


IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"


def settings(stack: str = "dev", *, held=None, image=IMAGE, layer=Path("build/layer.zip"), **overrides: object):
    return parse(
        raw(stack, **overrides), region="us-east-1", dataset=held or dataset(), image=image, layer=layer, stack=stack
    )


def problems(**overrides) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(**overrides)
    return caught.value.problems


def test_dev_is_cheap_and_prod_is_careful():
    dev, prod = settings("dev"), settings("prod", modelFrom="", requireEvidence="false")
    assert (dev.confidence_threshold, prod.confidence_threshold) == (0.80, 0.94)
    assert raw("prod")["modelFrom"] == "dev" and raw("prod")["requireEvidence"] is True
    assert dev.realtime and dev.realtime["max_instances"] == 1
    assert prod.realtime and prod.realtime["min_instances"] == 2
    assert dev.training["spot"] and dev.image_size == 32


def test_texts_as_pulumi_delivers_them_and_values_as_yaml_has_them_read_the_same():
    delivered = {k: v if isinstance(v, str) else json.dumps(v) for k, v in raw().items()}
    assert (
        parse(delivered, region="us-east-1", dataset=dataset(), image=IMAGE, layer=Path("build/layer.zip"), stack="dev")
        == settings()
    )


def test_pulumi_yaml_declares_exactly_the_keys_that_are_read_each_typed_described_and_with_a_default():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert set(declared) == set(KEYS)
    for key, spec in at_least_one(declared.items()):
        assert spec["type"] in {"string", "integer", "boolean", "array", "object"}, key
        assert spec["description"] and "default" in spec, key


CASES = [
    ("neitherClass", "perhaps", "scones:neitherClass must be true or false"),
    ("classes", ["bicycle"], "scones:classes must hold 2 to 100 names, got 1: bicycle"),
    ("classes", ["a", "b", "a"], "scones:classes must hold every name once, got a more than once"),
    ("classes", "bicycle", 'scones:classes must be a list of strings, got "bicycle"'),
    ("classes", ["car", "neither"], "scones:classes must leave the name neither to pictures of none of them"),
    ("classes", ["Bike!", "car"], "scones:classes must be names of small letters, digits, _ and -"),
    (
        "confidenceThreshold",
        "0.3",
        'scones:confidenceThreshold must be a number above 0.5 and at most 1 for 2 labels, got "0.3"',
    ),
    ("confidenceThreshold", "0.5", "above 0.5 and at most 1"),
    ("confidenceThreshold", "1.01", "above 0.5 and at most 1"),
    ("confidenceThreshold", "nan", "above 0.5 and at most 1"),
    ("confidenceThreshold", "high", "above 0.5 and at most 1"),
    ("loadingBays", {"bicycle": "bay 1"}, "scones:loadingBays must name a bay for motorcycle, got nothing"),
    ("loadingBays", {"bicycle": "1", "motorcycle": " "}, "must name a bay for motorcycle"),
    ("loadingBays", {"bicycle": "1", "motorcycle": "2", "motorcycel": "3"}, "did you mean motorcycle?"),
    ("trainingRecipe", "big", 'scones:trainingRecipe must be one of small, transfer, got "big"'),
    ("hyperparameters", {"epochs": 0}, "scones:hyperparameters.epochs must be"),
    ("trainingInstanceType", "ml.m5.large", "scones:trainingInstanceType must be"),
    ("trainingSpot", "yes", 'scones:trainingSpot must be true or false, got "yes"'),
    ("trainingMaxMinutes", 1, "scones:trainingMaxMinutes must be a whole number from 5 to 7200, got 1"),
    ("trainingAttempt", 0, "scones:trainingAttempt must be a whole number from 1 to 1000, got 0"),
    ("endpointMode", "batch", "scones:endpointMode must be one of realtime, serverless"),
    ("endpointInstanceType", "ml.t3.large", "scones:endpointInstanceType must be"),
    ("endpointMinInstances", 3, "scones:endpointMaxInstances must be at least endpointMinInstances (3), got 1"),
    ("endpointMaxInstances", "two", "scones:endpointMaxInstances must be a whole number from 1 to 20"),
    ("serverlessMemoryMb", 1000, "scones:serverlessMemoryMb must be one of 1024, 2048"),
    ("serverlessMaxConcurrency", 0, "scones:serverlessMaxConcurrency must be a whole number from 1 to 200"),
    ("capturePercentage", 101, "scones:capturePercentage must be a whole number from 0 to 100, got 101"),
    ("capturePercentage", True, "scones:capturePercentage must be a whole number"),
    ("photoRetentionDays", 29, "scones:photoRetentionDays must be a whole number from 30 to 3650, got 29"),
    ("photoRetentionDays", 31, "scones:photoRetentionDays must be at most decisionRetentionDays (30)"),
    ("correctionRetentionDays", 0, "scones:correctionRetentionDays must be a whole number from 30"),
    ("captureRetentionDays", 31, "scones:captureRetentionDays must be at most decisionRetentionDays (30)"),
    ("captureRetentionDays", 0, "scones:captureRetentionDays must be a whole number from 1"),
    ("decisionRetentionDays", "soon", "scones:decisionRetentionDays must be a whole number"),
    ("logRetentionDays", 31, "scones:logRetentionDays must be one of 1, 3, 5"),
    ("maxImageMegabytes", 1000, "scones:maxImageMegabytes must be a whole number from 1 to 100"),
    ("maxImageMegapixels", 0, "scones:maxImageMegapixels must be a whole number from 1 to 120"),
    ("alertEmail", "me", 'scones:alertEmail must be an e-mail address in ASCII or empty, got "me"'),
    ("alertEmail", "jürgen@example.com", "scones:alertEmail must be an e-mail address in ASCII or empty"),
    ("alertEmail", "a b@example.com", "scones:alertEmail must be an e-mail address"),
    ("confidenceThreshold", "0.\u0668", "above 0.5 and at most 1"),
    ("confidenceThreshold", "0_9", "above 0.5 and at most 1"),
    ("confidenceThreshold", " 0.8", 'must have no blanks around it and no line breaks, got " 0.8"'),
    ("confidenceThreshold", 0.8, "scones:confidenceThreshold must be a non-empty string (quote it), got 0.8"),
    ("trainingMaxMinutes", "\u0666\u0660", "must be a whole number from 5 to 7200"),
    ("trainingMaxMinutes", " 60", 'must be a whole number from 5 to 7200, got " 60"'),
    ("trainingMaxMinutes", "4", "must be a whole number from 5 to 7200, got 4"),
    (
        "kmsKeyArn",
        "arn:aws:kms:eu-west-1:\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661:key/a",
        "ARN of a KMS key",
    ),
    ("layerPath", "a\nb", "scones:layerPath must have no blanks around it and no line breaks"),
    ("loadingBays", {"bicycle": "Tor\n1", "motorcycle": "2"}, "scones:loadingBays.bicycle must have no line breaks"),
    ("loadingBays", {"bicycle": ":1", "motorcycle": "2"}, "scones:loadingBays.bicycle must not begin with a colon"),
    ("loadingBays", {"bicycle": "b" * 101, "motorcycle": "2"}, "loadingBays.bicycle must have at most 100 characters"),
    (
        "loadingBays",
        {"bicycle": "Süd", "motorcycle": "Sued"},
        'must name bays that metrics can tell apart, which write them in ASCII, got "Süd" and "Sued"',
    ),
    ("kmsKeyArn", "key", 'scones:kmsKeyArn must be the ARN of a KMS key or empty, got "key"'),
    ("reviewRateAlarmPercent", 0, "scones:reviewRateAlarmPercent must be a whole number from 1 to 100"),
    ("monthlyBudgetDollars", -1, "scones:monthlyBudgetDollars must be a whole number from 0 to 10000000, got -1"),
    ("retrainOnDrift", 1, "scones:retrainOnDrift must be true or false, got 1"),
    ("modelFrom", "a/b/c/d", "scones:modelFrom must be the name of another stack, ORGANIZATION/PROJECT/STACK or empty"),
    ("requireEvidence", "perhaps", "scones:requireEvidence must be true or false"),
    ("requireEvidence", "true", "scones:requireEvidence must be false while modelFrom and modelJob are empty"),
    ("modelJob", "a_b", 'scones:modelJob must be the name of a training job, or empty, got "a_b"'),
    ("modelJob", "a" * 64, "scones:modelJob must be the name of a training job, or empty"),
    ("targetRiskPercent", "0", 'scones:targetRiskPercent must be a number above 0 and below 100, got "0"'),
    ("targetRiskPercent", "100", "must be a number above 0 and below 100"),
    ("targetRiskPercent", "2 %", "must be a number above 0 and below 100"),
    ("targetRiskPercent", 2, "scones:targetRiskPercent must be a non-empty string (quote it), got 2"),
    ("rolloutBakeMinutes", 4, "scones:rolloutBakeMinutes must be 0 or from 5 to 30, got 4"),
    ("rolloutBakeMinutes", 5, "scones:endpointMinInstances must be at least 2 where rolloutBakeMinutes is not 0"),
    ("batchConcurrency", 0, "scones:batchConcurrency must be a whole number from 1 to 10000, got 0"),
    ("batchToleratedFailurePercent", 101, "scones:batchToleratedFailurePercent must be a whole number from 0 to 100"),
    ("protectData", "no", 'scones:protectData must be true or false, got "no"'),
    ("datasetDir", "", "scones:datasetDir must be a non-empty string"),
    ("layerPath", "", "scones:layerPath must be a non-empty string"),
    ("confidenceTreshold", "0.9", "scones:confidenceTreshold is not a key of this project: did you mean"),
]


@pytest.mark.parametrize(("key", "value", "expected"), CASES)
def test_a_mistake_is_reported_alone_with_key_value_and_what_is_allowed(key, value, expected):
    (problem,) = problems(**{key: value})
    assert expected in problem


def test_every_key_has_a_case_above():
    assert {key for key, _, _ in CASES} >= set(KEYS)


def test_all_mistakes_come_in_one_report_that_names_the_file():
    with pytest.raises(SettingsError) as caught:
        settings(
            classes=["bicycle", "car"],
            confidenceThreshold="2",
            hyperparameters={"epochs": 0, "epoch": 3},
            logRetentionDays=31,
            oops=1,
            image=UserError("aws:region must be one where SageMaker offers it"),
            held=DatasetError("there is no dataset"),
        )
    text = str(caught.value)
    assert "Pulumi.dev.yaml" in text
    for part in ("aws:region", "confidenceThreshold", "loadingBays", "epochs", "epoch ", "logRetention", "oops"):
        assert part in text, part
    assert "there is no dataset" in text
    assert text.count("\n  - ") == len(caught.value.problems) >= 9


@pytest.mark.parametrize(("on", "labels"), [("true", CLASSES), ("false", (*CLASSES, "neither"))])
def test_a_dataset_that_was_prepared_otherwise_is_told_by_the_setting_that_fits(on, labels):
    (problem,) = problems(neitherClass=on, held=dataset(labels))
    has = str("neither" in labels).lower()
    assert problem.startswith(f"scones:neitherClass must be {has}, as the dataset in ")


def test_with_neither_the_labels_are_the_classes_and_neither_and_the_network_has_one_class_more():
    found = settings(neitherClass="true", held=dataset((*CLASSES, "neither")))
    assert found.classes == CLASSES and found.labels == (*CLASSES, "neither")
    assert found.training["hyperparameters"]["num_classes"] == "3"


def test_classes_that_are_not_the_datasets_are_refused_even_in_another_order():
    (problem,) = problems(held=dataset(("motorcycle", "bicycle")))
    assert problem.startswith("scones:classes must be the classes of the dataset")


def test_a_missing_key_is_a_problem_not_a_default_of_the_codes_own():
    config = raw()
    del config["capturePercentage"]
    with pytest.raises(SettingsError, match=r"capturePercentage must be .* got nothing"):
        parse(config, region="us-east-1", dataset=dataset(), image=IMAGE, layer=Path("build/layer.zip"), stack="dev")


def test_a_serverless_endpoint_captures_nothing_and_says_so():
    (problem,) = problems(endpointMode="serverless")
    assert "capturePercentage must be 0" in problem
    stack = settings(endpointMode="serverless", capturePercentage=0)
    assert stack.realtime is None and stack.serverless == {"memory_mb": 2048, "max_concurrency": 5}


@given(st.integers(2, 100), st.floats(0, 1.5))
def test_a_threshold_is_allowed_exactly_between_an_even_guess_and_certainty(count, threshold):
    names = tuple(f"c{i}" for i in range(count))
    config = {
        "classes": list(names),
        "loadingBays": dict.fromkeys(names, "bay"),
        "confidenceThreshold": repr(threshold),
    }
    allowed = 1 / count < threshold <= 1
    try:
        assert settings(held=dataset(names), **config).confidence_threshold == threshold
        assert allowed
    except SettingsError as error:
        assert not allowed and "confidenceThreshold" in str(error)


def test_a_bay_is_called_what_people_call_it():
    bays = {"bicycle": "Tor 2 – Fahrräder", "motorcycle": " Tor 3 "}
    assert settings(loadingBays=bays).loading_bays == {"bicycle": "Tor 2 – Fahrräder", "motorcycle": "Tor 3"}


def test_two_classes_may_share_a_bay():
    shared = {"bicycle": "bay 1", "motorcycle": "bay 1"}
    assert settings(loadingBays=shared).loading_bays == shared


def test_labels_and_bays_must_fit_a_functions_environment():
    names = tuple(f"c{i}" + "x" * 40 for i in range(60))
    (problem,) = problems(
        classes=list(names),
        loadingBays=dict.fromkeys(names, "bay"),
        held=dataset(names),
    )
    assert problem.startswith("scones:loadingBays must take at most 3072 bytes as JSON together with classes, got ")


@pytest.mark.parametrize("name", ["dev_2", "my.stack", "dev-", "a" * 57])
def test_a_stack_whose_endpoint_sagemaker_would_refuse_is_refused(name):
    with pytest.raises(SettingsError, match=f"since its endpoint is called scones-{name}"):
        parse(raw(), region="us-east-1", dataset=dataset(), image=IMAGE, layer=Path("build/layer.zip"), stack=name)


def test_paths_are_paths():
    assert settings().layer_path == Path("build/layer.zip")


def test_a_dataset_with_fewer_validation_images_than_a_batch_is_refused_before_anything_is_created():
    small = replace(dataset(), splits={"train": 800, "validation": 40, "test": 200})
    (problem,) = problems(held=small)
    assert problem.startswith("scones:hyperparameters.mini_batch_size must be at most the 40 validation images, got 50")


def test_photos_larger_than_the_datasets_are_refused():
    (problem,) = problems(hyperparameters={"image_shape": "3,64,64"})
    assert problem.startswith("scones:hyperparameters.image_shape must be at most the 32 pixels")


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
OF_A_KEY = {
    "classes": st.lists(st.sampled_from(["bicycle", "motorcycle", "neither", "Bike", ""]), max_size=4),
    "hyperparameters": st.dictionaries(st.sampled_from(["epochs", "image_shape", "resize", "top_k", "x"]), SHAPES),
    "loadingBays": st.dictionaries(st.sampled_from(["bicycle", "motorcycle", "neither"]), SHAPES),
}


@given(
    st.fixed_dictionaries({}, optional={key: SHAPES | OF_A_KEY.get(key, st.nothing()) for key in KEYS}), st.booleans()
)
@examples(deadline=None)
def test_whatever_is_configured_is_either_settings_or_a_list_of_sentences(values, as_json):
    delivered = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    try:
        settings(**(delivered if as_json else values))
    except SettingsError as error:
        assert error.problems
        str(error).encode()
        assert all("\n" not in problem for problem in error.problems)


def test_a_missing_layer_comes_with_everything_else():
    found = problems(layer=UserError("there is no Lambda layer at build/layer.zip; run: make layer"), alertEmail="me")
    assert [problem.split(" ")[0] for problem in found] == ["scones:alertEmail", "scones:layerPath"]
    assert "run: make layer" in found[1]
