"""The bucket's folders, each written once: S3 prefixes match literally, hence the trailing slashes."""

from __future__ import annotations

INCOMING = "incoming/"
"""Photos to classify: an object that is created here starts an execution."""

DATASET = "dataset/"
"""Prepared training data, one folder for each identity."""

MODELS = "models/"
"""What training jobs write: model artifacts and checkpoints; a folder for each job."""

SERVING_FILE = MODELS + "serving.json"
"""Which of them serves: `job`, `artifact`, `evidence`."""

ARTIFACT_FILE = "output/model.tar.gz"
"""Where SageMaker leaves a model below its job's folder."""

EVIDENCE_FILE = "evidence.json"
"""What an evaluation leaves of the model in the same folder."""

MODEL_BASELINE_FILE = "baseline.json"
"""The baseline of the model, in the same folder; a promotion puts it where drift is measured against it."""

CARD_FILE = "card.md"
"""What a person should know of the model, in the same folder."""

PREDICTIONS_FILE = "predictions.jsonl"
"""What the model answered about each held-out photo, in the same folder."""

MEASURED_FILES = (EVIDENCE_FILE, MODEL_BASELINE_FILE, CARD_FILE, PREDICTIONS_FILE)
"""All that an evaluation leaves beside a model; a promotion takes it along."""

MATERIALS_FILE = "materials.zip"
"""What a model was made of, in the same folder: its dataset, held-out photos included, and its hyperparameters."""

MATERIALS_DATASET = "dataset/"
"""The dataset's folder in that file."""

PROPOSAL_FILE = "proposal.json"
"""There too: that the model was proposed, with all figures."""

MATERIALS_HYPERPARAMETERS = "hyperparameters.json"

CAPTURE = "capture/"
"""Inferences that the endpoint captured."""

TEST = "test/"
"""Photos for test events, which start nothing by themselves."""

BASELINE = "baseline/"
"""What the model did on the held-out split, for drift to be measured against."""

BASELINE_FILE = BASELINE + "baseline.json"

CORRECTIONS = "corrections/"
"""Photos that a person answered, one folder for each label; beside each what is known of it."""

ABOUT_CORRECTION = ".about.json"
"""What the name of a correction's description ends with."""

RETRAINING = "retraining/"
"""What a retraining runs from: this program's code, and the stack's outputs."""

BATCH = "batch/"
"""Photos that wait for a batch, which classifies everything under a prefix; an upload here starts nothing."""

BATCH_RESULTS = "batch-results/"
"""What became of each photo of a batch, in files; a folder for each run."""

OTHERS = (DATASET, MODELS, CAPTURE, TEST, BASELINE, CORRECTIONS, RETRAINING, BATCH, BATCH_RESULTS)
"""All but `INCOMING`: what is created there is no upload."""

PHOTOS = (INCOMING, BATCH, TEST)
"""Where photos to classify lie: only these are read by Serialize, and a batch classifies what is under one of them."""
