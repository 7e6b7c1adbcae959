import io
import json

import boto3
import pytest
from moto import mock_aws
from PIL import Image

from contract.errors import UserError
from contract.evidence import parse_evidence
from contract.prefixes import MEASURED_FILES
from contract.register import measured_by
from contract.versions import listed
from localcloud.sagemaker.server import SageMakerServer
from tests.training.evaluation.evidence_builders import endpoint, png, some_predictions
from training.cli import main
from training.dataset.manifest import identity_of, read_manifest
from training.evaluation.predictions import read_predictions, write_predictions
from training.evaluation.scoring import photos_in

GROUP = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/scones-dev"


def aws_but_sagemaker():
    """Moto's S3, while what has an address of its own is asked there."""
    return mock_aws(config={"core": {"passthrough": {"urls": ["http://127.0.0.1"]}}})


@pytest.fixture
def dataset(tmp_path):
    """A prepared dataset whose test split is 200 red (bicycle) and 200 black (motorcycle) photos."""
    folder = tmp_path / "dataset"
    for label, red in (("bicycle", 250), ("motorcycle", 5)):
        (folder / "test" / label).mkdir(parents=True)
        for number in range(200):
            (folder / "test" / label / f"{number}_{label}.png").write_bytes(png(red))
    splits = {name: {"images": 400, "per_class": {}} for name in ("train", "validation", "test")}
    content = {
        "version": 1,
        "format": "recordio",
        "classes": ["bicycle", "motorcycle"],
        "image_size": 32,
        "splits": splits,
        "duplicates": {},
        "files": {},
        "source": {},
    }
    (folder / "manifest.json").write_text(json.dumps(content | {"identity": identity_of(content)}))
    return folder


@pytest.fixture(autouse=True)
def without_a_stack(monkeypatch):
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)


def stack_outputs(tmp_path, **changes):
    path = tmp_path / "outputs.json"
    outputs = {
        "endpointName": "scones-dev",
        "trainingJobName": "scones-dev-1a2b",
        "baselineUri": "s3://evidence/baseline/baseline.json",
        "classes": ["bicycle", "motorcycle"],
        "confidenceThreshold": 0.8,
        "imageSize": 32,
    }
    path.write_text(json.dumps(outputs | changes))
    return path


def saved_predictions(tmp_path):
    path = tmp_path / "saved.jsonl"
    write_predictions(path, some_predictions())
    return path


def test_held_out_photos_go_through_the_endpoint_and_everything_is_written(tmp_path, dataset, monkeypatch, capsys):
    outputs, output = stack_outputs(tmp_path), tmp_path / "evaluation"
    with endpoint(monkeypatch) as requests:
        code = main(["evaluate", "--dataset", str(dataset), "--outputs", str(outputs), "--output", str(output)])
    printed = capsys.readouterr().out
    assert code == 0
    assert len(requests) == 400
    assert {(path, kind) for path, kind, _ in requests} == {
        ("/endpoints/scones-dev/invocations", "application/x-image")
    }
    assert {path.name for path in output.iterdir()} == {
        "evaluation.json",
        "evidence.json",
        "card.md",
        "index.html",
        "predictions.jsonl",
        "baseline.json",
        "reliability.png",
        "risk_coverage.png",
        "thresholds.png",
        "confusion.png",
        "confidence.png",
    }
    assert "accepts 100 % of photos with at most 2 % wrong (95 %)" in printed
    evaluation = json.loads((output / "evaluation.json").read_text())
    assert evaluation["accuracy"]["value"] == 1
    assert evaluation["configured"]["threshold"] == 0.8
    scored = read_predictions(output / "predictions.jsonl")
    assert scored.keys[0] == "test/bicycle/0_bicycle.png"
    assert scored.probabilities[0, 0] == pytest.approx(250 / 255)
    assert scored.labels.tolist() == [0] * 200 + [1] * 200
    assert json.loads((output / "baseline.json").read_text())["count"] == 400


def test_saved_predictions_need_no_endpoint_and_json_is_for_scripts(tmp_path, capsys):
    saved = saved_predictions(tmp_path)
    arguments = ["evaluate", "--predictions", str(saved), "--output", str(tmp_path / "out"), "--json"]
    assert main([*arguments, "--threshold", "0.9", "--target-error", "0.05", "--confidence", "0.9"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert printed["configured"]["threshold"] == 0.9
    assert printed["recommended"]["target_error"] == 0.05
    assert printed["recommended"]["confidence"] == 0.9


def test_strangers_go_through_the_endpoint_as_photos_do(tmp_path, dataset, monkeypatch, capsys):
    folder = tmp_path / "others"
    (folder / "unseen" / "tank").mkdir(parents=True)
    for number, red in enumerate((250, 250, 128, 5)):
        (folder / "unseen" / "tank" / f"{number}.jpg").write_bytes(png(red, size=90, format="JPEG"))
    outputs = stack_outputs(tmp_path)
    arguments = ["evaluate", "--dataset", str(dataset), "--outputs", str(outputs), "--strangers", str(folder)]
    with endpoint(monkeypatch) as requests:
        assert main([*arguments, "--output", str(tmp_path / "out"), "--json"]) == 0
    assert len(requests) == 404 and all(Image.open(io.BytesIO(body)).size == (32, 32) for _, _, body in requests)
    found = json.loads(capsys.readouterr().out)["strangers"]["unseen"]
    assert found["photos"] == 4
    assert (found["configured"]["routed"], found["configured"]["share"]) == (3, 0.75)
    assert found["kinds"] == {"tank": {"photos": 4, "configured": 3}}


def test_the_baseline_is_uploaded_when_asked(tmp_path, capsys, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    output, saved, outputs = tmp_path / "out", str(saved_predictions(tmp_path)), str(stack_outputs(tmp_path))
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="evidence")
        code = main(
            ["evaluate", "--predictions", saved, "--output", str(output), "--outputs", outputs, "--upload-baseline"]
        )
        stored = s3.get_object(Bucket="evidence", Key="baseline/baseline.json")
        assert stored["Body"].read() == (output / "baseline.json").read_bytes()
        assert stored["ContentType"] == "application/json"
    assert code == 0
    assert "Uploaded to s3://evidence/baseline/baseline.json" in capsys.readouterr().out


def test_evidence_lies_beside_the_model_when_asked(tmp_path, dataset, monkeypatch):
    job = "scones-dev-1a2b"
    address = f"s3://evidence/models/{job}/evidence.json"
    outputs = str(stack_outputs(tmp_path, evidenceUri=address, trainingJobName=job))
    saved, output = tmp_path / "saved.jsonl", tmp_path / "out"
    write_predictions(saved, some_predictions())
    arguments = ["evaluate", "--predictions", str(saved), "--output", str(output), "--outputs", outputs]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="evidence")
        assert main([*arguments, "--dataset", str(dataset), "--upload-evidence"]) == 0
        stored = s3.get_object(Bucket="evidence", Key=f"models/{job}/evidence.json")
        # as text, or the provider does not let a program read it
        assert stored["ContentType"] == "application/json"
        stored = stored["Body"].read()
    assert stored == (output / "evidence.json").read_bytes()
    evidence, evaluation = parse_evidence(stored), json.loads((output / "evaluation.json").read_text())
    assert (evidence.model, evidence.labels, evidence.image_size) == (job, ("bicycle", "motorcycle"), 32)
    assert evidence.dataset == read_manifest(dataset).identity
    there = evidence.at(0.8)
    assert (there.accepted, there.wrong) == (evaluation["configured"]["accepted"], evaluation["configured"]["errors"])
    assert there.bound == pytest.approx(evaluation["configured"]["bound"])
    assert evidence.recommended == evaluation["recommended"]["threshold"]


@pytest.fixture
def register(monkeypatch):
    """A SageMaker whose register of scones-dev is empty; its client."""
    server = SageMakerServer(aws_endpoint_url="http://127.0.0.1:9")
    address = server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", address)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="scones-dev")
    yield client
    server.stop()


def test_a_model_is_left_with_all_that_is_known_and_registered_once(tmp_path, dataset, register, capsys):
    folder = "s3://evidence/models/scones-dev-1a2b"
    changes = {"modelArtifact": f"{folder}/output/model.tar.gz", "modelPackageGroup": GROUP, "targetRiskPercent": 3}
    outputs = stack_outputs(tmp_path, evidenceUri=f"{folder}/evidence.json", **changes)
    saved, output = saved_predictions(tmp_path), tmp_path / "out"
    words = ["evaluate", "--predictions", str(saved), "--output", str(output), "--outputs", str(outputs)]
    words += ["--dataset", str(dataset), "--upload-evidence"]
    with aws_but_sagemaker():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="evidence")
        assert main(words) == 0 and f"Version 1 is new in {GROUP}" in capsys.readouterr().out
        assert main(words) == 0 and f"Version 1 is as it was in {GROUP}" in capsys.readouterr().out
        assert main([*words, "--target-error", "0.1"]) == 0
        assert f"Version 1 was updated in {GROUP}" in capsys.readouterr().out
        left = {
            each["Key"].rpartition("/")[2]: s3.get_object(Bucket="evidence", Key=each["Key"])["Body"].read()
            for each in s3.list_objects_v2(Bucket="evidence", Prefix="models/scones-dev-1a2b/")["Contents"]
        }
    assert left == {name: (output / name).read_bytes() for name in MEASURED_FILES}
    (version,) = listed(register, GROUP)
    measured, evidence = version.model.measured, parse_evidence(left["evidence.json"])
    assert measured == measured_by(evidence, left["evidence.json"], f"{folder}/evidence.json", 0.1)
    assert version.model.artifact == f"{folder}/output/model.tar.gz"
    assert version.model.image.startswith("811284229777.dkr.ecr.us-east-1.")
    assert version.model.dataset == read_manifest(dataset).identity


def test_the_stack_s_target_is_the_evaluation_s_unless_another_is_asked_for(tmp_path, capsys):
    saved, outputs = str(saved_predictions(tmp_path)), str(stack_outputs(tmp_path, targetRiskPercent="3.5"))
    words = ["evaluate", "--predictions", saved, "--output", str(tmp_path / "out"), "--json"]
    for more, target in (
        (["--outputs", outputs], 0.035),
        (["--outputs", outputs, "--target-error", "0.1"], 0.1),
        ([], 0.02),
    ):
        assert main([*words, *more]) == 0
        assert json.loads(capsys.readouterr().out)["recommended"]["target_error"] == target


def test_a_stack_without_a_register_is_told_so_and_its_evidence_is_left_anyway(tmp_path, dataset, monkeypatch, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    outputs = stack_outputs(tmp_path, evidenceUri="s3://evidence/models/scones-dev-1a2b/evidence.json")
    words = ["evaluate", "--predictions", str(saved_predictions(tmp_path)), "--output", str(tmp_path / "out")]
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="evidence")
        assert main([*words, "--outputs", str(outputs), "--dataset", str(dataset), "--upload-evidence"]) == 0
    assert "Not registered: the stack exports no modelPackageGroup" in capsys.readouterr().out


def test_evidence_of_another_model_or_without_its_dataset_is_not_uploaded(tmp_path, dataset, capsys):
    saved = str(saved_predictions(tmp_path))
    for job, folder, reason in (
        (
            "scones-dev-ffff",
            dataset,
            "the stack's model scones-dev-ffff, and these are of scones-dev-1a2b",
        ),
        ("scones-dev-1a2b", tmp_path / "none", "--upload-evidence needs the dataset in"),
    ):
        outputs = str(stack_outputs(tmp_path, evidenceUri=f"s3://b/models/{job}/evidence.json", trainingJobName=job))
        arguments = ["--predictions", saved, "--outputs", outputs, "--dataset", str(folder), "--upload-evidence"]
        assert main(["evaluate", *arguments, "--output", str(tmp_path / "out")]) == 2
        assert reason in capsys.readouterr().err


def test_a_baseline_of_an_earlier_evaluation_does_not_outlive_its_threshold(tmp_path):
    saved, output = tmp_path / "few.jsonl", tmp_path / "out"
    write_predictions(saved, some_predictions(20))
    arguments = ["evaluate", "--predictions", str(saved), "--output", str(output)]
    assert main([*arguments, "--threshold", "0.8"]) == 0
    assert (output / "baseline.json").exists()
    assert main(arguments) == 0
    assert not (output / "baseline.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "none"], "there is no dataset in none; run: "),
        (["--predictions", "none.jsonl"], "the predictions file none.jsonl can't be read: No such file"),
        (["--outputs", "none.json"], "the outputs file none.json can't be read: No such file"),
        (["--threshold", "nan"], "--threshold must be a number above 0 and at most 1, got nan"),
        (["--threshold", "1.01"], "--threshold must be a number above 0 and at most 1, got 1.01"),
        (["--predictions", "none.jsonl", "--upload-baseline"], "--upload-baseline needs the stack's outputs"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


@pytest.mark.parametrize("option", ["--target-error", "--target-strangers", "--confidence"])
@pytest.mark.parametrize("value", ["0", "1", "2", "nan", "much"])
def test_shares_lie_between_0_and_1(option, value, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", option, value])
    assert caught.value.code == 2
    assert f"must be a number between 0 and 1, got '{value}'" in capsys.readouterr().err


@pytest.mark.parametrize(("threshold", "code"), [("0.5", 2), ("0.501", 0), ("1", 0)])
def test_a_threshold_means_something_to_an_evaluation_when_it_does_to_a_stack(tmp_path, capsys, threshold, code):
    saved = saved_predictions(tmp_path)
    arguments = ["evaluate", "--predictions", str(saved), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--threshold", threshold]) == code
    if code:
        wanted = "--threshold must be a number above 0.5 and at most 1 for 2 labels, got 0.5"
        assert wanted in capsys.readouterr().err


def test_predictions_of_other_classes_than_the_stacks_are_refused(tmp_path, capsys):
    outputs = stack_outputs(tmp_path, classes=["motorcycle", "bicycle"])
    saved = saved_predictions(tmp_path)
    assert main(["evaluate", "--predictions", str(saved), "--outputs", str(outputs)]) == 2
    assert "classes must be those of the stack in its order, motorcycle, bicycle" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, {"message": "Endpoint scones-dev of account 1 not found."}), "refused"),
        ((200, [0.9, 0.9]), "answered 0_bicycle.png with no distribution: inferences must sum to 1"),
        ((200, {"label": 1}), "answered 0_bicycle.png with no distribution: inferences must be a list of numbers"),
    ],
)
def test_an_endpoint_that_refuses_or_babbles_is_named(tmp_path, dataset, monkeypatch, capsys, answer, message):
    outputs = stack_outputs(tmp_path)
    with endpoint(monkeypatch, lambda _: answer):
        arguments = ["--dataset", str(dataset), "--outputs", str(outputs), "--workers", "1"]
        assert main(["evaluate", *arguments]) == 2
    assert f"error: endpoint scones-dev {message}" in capsys.readouterr().err


def test_a_passing_failure_of_the_endpoint_is_tried_again(tmp_path, dataset, monkeypatch):
    failures = iter([503, 503])

    def moody(_):
        return (503, {"message": "busy"}) if next(failures, None) else (200, [0.5, 0.5])

    with endpoint(monkeypatch, moody) as requests:
        arguments = ["--dataset", str(dataset), "--endpoint", "mine", "--output", str(tmp_path / "out")]
        assert main(["evaluate", *arguments]) == 0
    assert len(requests) == 402


def test_a_photo_in_the_wrong_folder_is_named(tmp_path, dataset, capsys):
    (dataset / "test" / "tulip").mkdir()
    (dataset / "test" / "tulip" / "1.png").write_bytes(png(1))
    assert main(["evaluate", "--dataset", str(dataset), "--endpoint", "mine"]) == 2
    assert "must lie in a folder named as its class: bicycle, motorcycle" in capsys.readouterr().err


def test_a_folder_without_photos_is_said(tmp_path):
    with pytest.raises(UserError, match="must hold photos"):
        photos_in(tmp_path)
