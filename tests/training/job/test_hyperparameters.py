import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UserError
from tests.assertions import at_least_one
from training.job.hyperparameters import (
    HOSTING_INSTANCE_FAMILIES,
    HYPERPARAMETERS,
    RECIPES,
    TRAINING_INSTANCE_FAMILIES,
    HyperparameterError,
    TrainingData,
    check_hosting_instance,
    check_training_instance,
    image_size,
    resolve,
)
from training.job.image import ALGORITHM, accounts, image_uri


def resolved(recipe="small", dataset_format="recordio", **overrides):
    return resolve(recipe, overrides, TrainingData(2, 800, 200, 32, dataset_format))


def problems(recipe="small", **overrides):
    with pytest.raises(HyperparameterError) as caught:
        resolved(recipe, **overrides)
    return caught.value.problems


@pytest.mark.parametrize(
    ("recipe", "size", "layers", "pretrained"), [("small", 32, "18", "0"), ("transfer", 224, "18", "1")]
)
def test_each_recipe_is_a_complete_valid_set_of_strings(recipe, size, layers, pretrained):
    values = resolved(recipe)
    assert image_size(values) == size
    assert (values["num_layers"], values["use_pretrained_model"]) == (layers, pretrained)
    assert (values["num_classes"], values["num_training_samples"]) == ("2", "800")
    assert list(values) == sorted(values)
    assert all(isinstance(value, str) for value in at_least_one(values.values()))
    assert set(values) <= set(HYPERPARAMETERS)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_says_everything_in_the_form_that_is_sent(recipe):
    for name, value in at_least_one(RECIPES[recipe].values.items()):
        assert HYPERPARAMETERS[name].parse(value) == value


@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_documented_defaults_are_in_the_form_that_is_sent(name):
    row = HYPERPARAMETERS[name]
    assert row.default is None or row.parse(row.default) == row.default


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("epochs", 7, "7"),
        ("epochs", "7", "7"),
        ("learning_rate", 0.01, "0.01"),
        ("learning_rate", "1e-3", "0.001"),
        ("learning_rate", 1, "1.0"),
        ("image_shape", [3, 30, 30], "3,30,30"),
        ("image_shape", "3, 30, 30", "3,30,30"),
        ("lr_scheduler_step", [5, 10], "5,10"),
        ("lr_scheduler_step", "5, 10", "5,10"),
        ("lr_scheduler_step", 5, "5"),
        ("early_stopping", True, "True"),
        ("early_stopping", "true", "True"),
        ("use_pretrained_model", False, "0"),
        ("use_pretrained_model", 0, "0"),
        ("num_layers", 101, "101"),
        ("augmentation_type", "crop_color", "crop_color"),
        ("top_k", 2, "2"),
    ],
)
def test_configuration_values_of_any_kind_become_the_algorithms_text(name, value, sent):
    extra = {"lr_scheduler_step": "3", "early_stopping_min_epochs": 2} if name == "epochs" else {}
    assert resolved(**{name: value, **extra})[name] == sent


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("epochs", 0, "an integer between 1 and 1000, got 0"),
        ("epochs", 1001, "an integer between 1 and 1000, got 1001"),
        ("epochs", 2.5, "got 2.5"),
        ("epochs", True, "got True"),
        ("epochs", "many", "got 'many'"),
        ("epochs", None, "got None"),
        ("epochs", "\u0667", "got '\u0667'"),
        ("epochs", " 7 ", "got ' 7 '"),
        ("learning_rate", "0.\u0667", "got '0.\u0667'"),
        ("image_shape", "3,\u0663\u0662,\u0663\u0662", "SIZE between 16 and 224"),
        ("lr_scheduler_step", "\u0667", "got '\u0667'"),
        ("mini_batch_size", -1, "a positive integer, got -1"),
        ("learning_rate", 1.01, "a number between 0 and 1, got 1.01"),
        ("learning_rate", -0.1, "got -0.1"),
        ("learning_rate", float("nan"), "got nan"),
        ("learning_rate", float("inf"), "got inf"),
        ("learning_rate", True, "got True"),
        ("momentum", {"a": 1}, "got {'a': 1}"),
        ("num_layers", 19, "one of 18, 34, 50, 101, 152, 200, 20, 32, 44, 56, 110, got 19"),
        ("optimizer", "lion", "one of sgd, adam, rmsprop, nag, got 'lion'"),
        ("early_stopping", "yes", "one of True, False, got 'yes'"),
        ("early_stopping", 1, "got 1"),
        ("lr_scheduler_step", "10,5", "increasing epochs, such as \"10,20\", got '10,5'"),
        ("lr_scheduler_step", "0,5", "got '0,5'"),
        ("lr_scheduler_step", "", "got ''"),
        ("image_shape", "3,32", "got '3,32'"),
        ("image_shape", "1,32,32", "got '1,32,32'"),
        ("image_shape", "3,32,48", "got '3,32,48'"),
        ("image_shape", "3,512,512", "SIZE between 16 and 224"),
        ("top_k", 1, "an integer of at least 2, got 1"),
        ("multi_label", 1, "0, got 1"),
        ("precision_dtype", "float64", "one of float32, float16, got 'float64'"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_named_with_what_is_allowed(name, value, allowed):
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"hyperparameters.{name} must be ")
    assert allowed in problem


@pytest.mark.parametrize(("name", "near"), [("epoch", "epochs"), ("num_layer", "num_layers"), ("lr", "known are")])
def test_an_unknown_name_lists_near_misses(name, near):
    (problem,) = problems(**{name: 3})
    assert problem.startswith(f"hyperparameters.{name} is not one of the algorithm's: ")
    assert near in problem


@pytest.mark.parametrize("name", ["num_classes", "num_training_samples"])
def test_what_the_dataset_says_cannot_be_overridden(name):
    assert problems(**{name: 5}) == [f"hyperparameters.{name} can't be set: it is counted in the dataset"]


@pytest.mark.parametrize(
    ("recipe", "overrides", "expected"),
    [
        (
            "transfer",
            {"num_layers": 20},
            "num_layers must be one of 18, 34, 50, 101, 152, 200 with a pretrained",
        ),
        ("transfer", {"image_shape": "3,64,64"}, "image_shape must be 3,224,224 with a pretrained model"),
        ("small", {"use_pretrained_model": 1, "resize": 36}, "image_shape must be 3,224,224"),
        (
            "small",
            {"num_layers": 20},
            "num_layers must be one of 18, 34, 50, 101, 152, 200 for images above 28x28, got 20 for 32x32",
        ),
        (
            "small",
            {"num_layers": 34, "image_shape": "3,28,28"},
            "num_layers must be one of 20, 32, 44, 56, 110 for images up to 28x28, got 34 for 28x28",
        ),
        (
            "small",
            {"image_shape": "3,28,28"},
            "got 18 for 28x28 from the recipe small: set it as well",
        ),
        (
            "small",
            {"image_shape": "3,48,48"},
            "image_shape must be at most the 32 pixels that the smallest image has, or resize be set, got 3,48,48",
        ),
        ("transfer", {"resize": 224}, "resize must be above the image_shape's 224, got 224"),
        ("small", {"mini_batch_size": 801}, "mini_batch_size must be at most the 800 training images, got 801"),
        ("small", {"mini_batch_size": 201}, "mini_batch_size must be at most the 200 validation images, got 201"),
        (
            "small",
            {"lr_scheduler_step": "10,40"},
            "lr_scheduler_step must lie below the 40 epochs, got 10,40",
        ),
        ("small", {"checkpoint_frequency": 41}, "checkpoint_frequency must be at most the 40 epochs, got 41"),
        (
            "small",
            {"early_stopping_min_epochs": 41},
            "early_stopping_min_epochs must be at most the 40 epochs",
        ),
        ("small", {"top_k": 3}, "top_k must be at most the 2 labels, got 3"),
        ("small", {"kv_store": "dist_sync"}, "kv_store can't be set: this stack trains on one machine"),
        ("small", {"beta_1": 0.5}, "beta_1 is only read with optimizer adam, got optimizer sgd"),
        ("small", {"optimizer": "adam", "momentum": 0.5}, "momentum is only read with optimizer sgd or nag"),
        (
            "small",
            {"early_stopping": False, "early_stopping_patience": 3},
            "is only read with early_stopping True",
        ),
    ],
)
def test_combinations_that_fail_or_do_nothing_are_refused(recipe, overrides, expected):
    (problem,) = problems(recipe, **overrides)
    assert expected in problem


def test_networks_for_small_images_are_taken_up_to_28_pixels():
    for layers in ("20", "32", "44", "56", "110"):
        assert resolved(num_layers=layers, image_shape="3,28,28")["num_layers"] == layers


def test_a_dataset_with_fewer_images_than_a_recipes_batch_says_what_to_set():
    with pytest.raises(HyperparameterError) as caught:
        resolve("small", {}, TrainingData(2, 800, 40, 32))
    assert caught.value.problems == [
        "hyperparameters.mini_batch_size must be at most the 40 validation images, got 50 from the recipe small: "
        "set it as well"
    ]


def test_fewer_epochs_than_the_recipes_schedule_says_what_else_to_set():
    assert problems(epochs=10) == [
        "hyperparameters.lr_scheduler_step must lie below the 10 epochs, got 20,32 from the recipe small: "
        "set it as well",
        "hyperparameters.early_stopping_min_epochs must be at most the 10 epochs, got 20 from the recipe small: "
        "set it as well",
    ]


def test_all_problems_are_reported_together():
    found = problems(epochs=0, optimiser="adam", num_classes=3, resize=8, mini_batch_size=900)
    assert [problem.split()[0] for problem in found] == [
        "hyperparameters.epochs",
        "hyperparameters.optimiser",
        "hyperparameters.num_classes",
        "hyperparameters.resize",
        "hyperparameters.mini_batch_size",
    ]


def test_an_unknown_recipe_names_the_known_ones():
    assert problems("tiny") == ["trainingRecipe must be one of small, transfer, got 'tiny'"]


def test_what_another_optimizer_would_read_is_not_sent():
    values = resolved(optimizer="adam")
    assert {"beta_1", "beta_2", "eps"} <= set(values)
    assert not {"momentum", "weight_decay", "gamma"} & set(values)
    assert not any(name.startswith("early_stopping_") for name in resolved(early_stopping=False))


def test_image_files_get_the_resize_that_they_need():
    assert resolved(dataset_format="image")["resize"] == "36"
    assert resolved(dataset_format="image", image_shape="3,64,64")["resize"] == "72"
    assert resolved(dataset_format="image", resize=40)["resize"] == "40"
    assert "resize" not in resolved()


@given(
    st.dictionaries(
        st.sampled_from(sorted(HYPERPARAMETERS)) | st.text(max_size=8),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.lists(st.integers(-1, 300), max_size=3)
        | st.sampled_from(["3,32,32", "3,224,224", "10,20", "adam", "nag", "True", "float16", "18"]),
        max_size=6,
    )
)
def test_whatever_is_configured_is_either_valid_again_or_refused_with_reasons(overrides):
    try:
        values = resolve("small", overrides, TrainingData.unknown(2))
    except HyperparameterError as error:
        assert error.problems
        return
    again = {name: value for name, value in values.items() if name not in ("num_classes", "num_training_samples")}
    assert resolve("small", again, TrainingData.unknown(2)) == values
    assert all(HYPERPARAMETERS[name].parse(value) == value for name, value in values.items())


def offered_by_sagemaker(shape):
    return set(Session().get_service_model("sagemaker").shape_for(shape).enum)


def test_every_supported_instance_exists_in_sagemaker():
    training = {f"ml.{f}.{size}" for f, sizes in TRAINING_INSTANCE_FAMILIES.items() for size in sizes}
    hosting = {f"ml.{f}.{size}" for f, sizes in HOSTING_INSTANCE_FAMILIES.items() for size in sizes}
    offered = offered_by_sagemaker("TrainingInstanceType")
    assert training <= offered
    assert training == {name for name in offered if name.split(".")[1] in TRAINING_INSTANCE_FAMILIES}
    assert hosting <= offered_by_sagemaker("ProductionVariantInstanceType")


@pytest.mark.parametrize("name", ["ml.g4dn.xlarge", "ml.p3.2xlarge", "ml.p2.16xlarge", "ml.g5.48xlarge"])
def test_gpu_instances_train(name):
    assert check_training_instance(name) is None


@pytest.mark.parametrize("name", ["ml.m5.large", "g4dn.xlarge", "ml.g4dn", "ml.p4d.24xlarge", "", "ml.g4dn.2xl"])
def test_other_instances_do_not_train(name):
    problem = check_training_instance(name)
    assert problem is not None
    assert problem.startswith("trainingInstanceType must be ")
    assert f"got {name!r}" in problem


def test_a_slip_in_an_instance_name_shows_what_was_meant():
    assert "did you mean ml.g4dn.xlarge" in (check_training_instance("ml.g4d.xlarge") or "")


@pytest.mark.parametrize("name", ["ml.m5.large", "ml.c5.large", "ml.g4dn.xlarge", "ml.m6i.large"])
def test_cpu_and_gpu_instances_host(name):
    assert check_hosting_instance(name) is None


@pytest.mark.parametrize("name", ["ml.t2.medium", "ml.t3.medium", "ml.m6g.large", "ml.inf1.xlarge", "m5.large"])
def test_burstable_arm_and_special_instances_do_not_host(name):
    assert (check_hosting_instance(name) or "").startswith("endpointInstanceType must be ")


def test_the_image_is_the_one_that_the_sdk_names_in_every_region():
    from sagemaker.core import image_uris

    assert image_uri("us-east-1") == "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    ours = {region: image_uri(region) for region in accounts()}
    assert len(ours) > 30 and {"cn-north-1", "eu-west-1", "us-gov-west-1"} < ours.keys()
    assert ours == {region: image_uris.retrieve(framework=ALGORITHM, region=region) for region in ours}


def test_a_region_without_the_algorithm_is_named():
    with pytest.raises(UserError, match=r"aws:region must be one where .* got 'mars-1'"):
        image_uri("mars-1")


def test_a_region_that_is_missing_or_misspelt_says_so():
    with pytest.raises(UserError, match=r"aws:region is missing: set it in the stack's file"):
        image_uri("")
    with pytest.raises(UserError, match=r"got 'us-esat-1': did you mean .*us-east-1"):
        image_uri("us-esat-1")
