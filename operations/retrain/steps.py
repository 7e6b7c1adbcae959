"""The steps of a retraining: corrections -> dataset -> training job -> answers -> comparison -> proposal."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract import prefixes
from contract.errors import UserError
from contract.evidence import Evidence, to_document
from contract.promotion import s3_place
from contract.retraining import YES, RetrainingPlan
from operations.retrain.answers import transform
from operations.retrain.bucket import StackBucket, code_of, pack_materials, unpack_materials
from operations.retrain.comparison import compare
from operations.retrain.proposal import Proposal, standing
from training.dataset.answered import place_of, read_answers
from training.dataset.corrections import told
from training.dataset.extend import Extended, extend
from training.dataset.manifest import FILE
from training.evaluation.evidence import evidence_of
from training.evaluation.files import write_files
from training.evaluation.findings import Evaluation, evaluate
from training.evaluation.findings import to_document as to_evaluation
from training.evaluation.held_out import HeldOut, held_out
from training.evaluation.left import leave, register_evaluation
from training.evaluation.scoring import score
from training.job.naming import training_job_name
from training.job.request import JobPlan, dataset_folder, training_request
from training.job.rules import TrainingData, broken, image_size
from training.job.table import HYPERPARAMETERS
from training.job.watch import describe, follow

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient

    from contract.outputs import StackOutputs

COMPONENT = "Retraining"


class NotWorthwhileError(UserError):
    """There is nothing to gain from a training: the answer is no, and nothing was done."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What whoever starts a retraining asks for."""

    because: str
    least: int
    """New corrections below which nothing is trained."""
    force: bool
    attempt: int
    interval: float
    """Seconds between two looks at the training job."""


@dataclass(frozen=True, slots=True)
class Retrainer:
    """A stack and the services of its account."""

    outputs: StackOutputs
    plan: RetrainingPlan
    bucket: StackBucket
    sagemaker: SageMakerClient
    logs: CloudWatchLogsClient
    local: bool
    say: Callable[[str], object]

    @property
    def serving(self) -> str:
        """The folder of the model that serves."""
        _, key = s3_place(self.outputs.model_artifact)
        return key.removesuffix(prefixes.ARTIFACT_FILE)

    @property
    def job_plan(self) -> JobPlan:
        """Where and on what a candidate trains."""
        plan = self.plan
        return JobPlan(
            bucket=self.bucket.name,
            role_arn=plan.role_arn,
            image_uri=plan.image_uri,
            instance_type=plan.instance_type,
            spot=plan.spot == YES,
            max_minutes=int(plan.max_minutes),
            kms_key_arn=plan.kms_key_arn,
        )

    @property
    def target(self) -> float:
        """The share of accepted photos that may be wrong."""
        assert self.outputs.target_risk_percent is not None
        return self.outputs.target_risk_percent / 100

    @property
    def tags(self) -> dict[str, str]:
        """Whose all is that is made."""
        return {"project": self.plan.project, "stack": self.plan.stack, "component": COMPONENT}

    def run(self, terms: Terms) -> tuple[dict[str, Any], bool]:
        """Go through all steps.

        Returns:
            The proposal, and whether it is a new one: of the same corrections there is one.

        Raises:
            NotWorthwhileError: there are too few new corrections.
            UserError: a step failed, with which.
        """
        with tempfile.TemporaryDirectory(prefix="retraining-") as temporary:
            folder = Path(temporary)
            served = self._served_hyperparameters(folder / "base")
            extended = self._dataset(folder / "base", folder / "dataset", terms)
            hyperparameters = _hyperparameters(served, extended)
            job = self._job_name(extended, hyperparameters, terms.attempt)
            proposed = f"{prefixes.MODELS}{job}/{prefixes.PROPOSAL_FILE}"
            if (known := self.bucket.read(proposed)) is not None:
                return json.loads(known), False
            self._train(job, folder / "dataset", extended, hyperparameters, terms)
            proposal = self._compared(job, folder / "dataset", extended, hyperparameters, terms)
            document = proposal.as_plain()
            return document, self.bucket.write_first(proposed, document)

    def withdraw(self, job: str) -> None:
        """Take back that a proposal was made, which nobody could be told."""
        self.bucket.s3.delete_object(Bucket=self.bucket.name, Key=f"{prefixes.MODELS}{job}/{prefixes.PROPOSAL_FILE}")

    def _served_hyperparameters(self, base: Path) -> dict[str, str]:
        """The dataset of the model that serves, into a folder, and its hyperparameters."""
        data = self.bucket.read(self.serving + prefixes.MATERIALS_FILE)
        if data is None:
            raise UserError(
                f"what {self.outputs.training_job_name} was made of is not in "
                f"{self.bucket.uri(self.serving + prefixes.MATERIALS_FILE)}: bring the stack that trained it up with "
                "this version, and then this one"
            )
        return unpack_materials(data, base)

    def _dataset(self, base: Path, output: Path, terms: Terms) -> Extended:
        answers = read_answers(place_of(self.bucket.uri(prefixes.CORRECTIONS)))
        extended = extend(base, answers, output)
        self.say(f"{told(extended.section)}; {extended.added} new")
        if extended.added < terms.least and not terms.force:
            raise NotWorthwhileError(
                f"{told(extended.section)}. New ones: {extended.added}; a training needs {terms.least} "
                "(--least-corrections N, or --force). Nothing was trained."
            )
        return extended

    def _job_name(self, extended: Extended, hyperparameters: Mapping[str, str], attempt: int) -> str:
        plan = self.job_plan
        return training_job_name(
            f"{self.plan.project}-{self.plan.stack}",
            dataset=extended.manifest.identity,
            image_uri=plan.image_uri,
            hyperparameters=hyperparameters,
            instance_type=plan.instance_type,
            spot=plan.spot,
            attempt=attempt,
        )

    def _train(
        self, job: str, dataset: Path, extended: Extended, hyperparameters: Mapping[str, str], terms: Terms
    ) -> None:
        """Have the job be there and wait until it is Completed."""
        if not self._is_there(job):
            manifest = extended.manifest
            for channel in manifest.channels:
                names = manifest.channel_files(channel)
                place = f"{dataset_folder(manifest.identity)}{channel}/"
                self.bucket.write_all({place + Path(name).name: (dataset / name).read_bytes() for name in names})
            materials = pack_materials(dataset, (FILE, *sorted(manifest.files)), hyperparameters)
            self.bucket.write(f"{prefixes.MODELS}{job}/{prefixes.MATERIALS_FILE}", materials, "application/zip")
            request: Any = training_request(job, manifest, hyperparameters, self.job_plan, self.tags)
            try:
                self.sagemaker.create_training_job(**request)
            except ClientError as error:
                # somebody else began it meanwhile, with the same name for the same job
                if code_of(error) != "ResourceInUse":
                    raise
        self.say(f"{job}: trains")
        ended, learning = follow(job, self.sagemaker, self.logs, interval=terms.interval, local=self.local)
        if ended.status != "Completed":
            why = f": {ended.failure_reason}" if ended.failure_reason else ""
            raise UserError(
                f"the training job {job} must be Completed, got {ended.status}{why}; once the cause is gone, train "
                f"anew with --attempt {terms.attempt + 1}"
            )
        best = f", best validation accuracy {learning.best[1]:.3f}" if learning.best else ""
        self.say(f"{job}: completed{best}")

    def _is_there(self, job: str) -> bool:
        try:
            describe(job, self.sagemaker)
        except UserError:
            return False
        return True

    def _compared(
        self, job: str, dataset: Path, extended: Extended, hyperparameters: Mapping[str, str], terms: Terms
    ) -> Proposal:
        held, labels, size = held_out(dataset), len(extended.manifest.classes), image_size(hyperparameters)
        new = transform(
            job, held.paths, labels=labels, size=size, bucket=self.bucket, sagemaker=self.sagemaker,
            plan=self.job_plan, tags=self.tags, say=self.say,
        )  # fmt: skip
        self.say(f"{self.outputs.endpoint_name}: asks what serves about the same photos")
        now = score(
            held.paths, endpoint=self.outputs.endpoint_name, classes=labels, size=self.outputs.image_size or size
        )
        candidate = self._evaluated(held, new, job, "batch transform")
        serving = self._evaluated(held, now, self.outputs.training_job_name, self.outputs.endpoint_name)
        identity = extended.manifest.identity
        evidence = self.bucket.uri(f"{prefixes.MODELS}{job}/{prefixes.EVIDENCE_FILE}")
        self._leave(job, candidate, dataset, evidence_of(candidate, dataset=identity, image_size=size), evidence)
        if self.bucket.read(self.serving + prefixes.EVIDENCE_FILE) is None:
            # nobody measured it, and a stack can go back only to a model that says what it answers
            there = evidence_of(serving, dataset=identity, image_size=self.outputs.image_size or size)
            content = json.dumps(to_document(there)).encode() + b"\n"
            self.bucket.write(self.serving + prefixes.EVIDENCE_FILE, content, "application/json")
        return Proposal(
            stack=self.plan.stack,
            because=terms.because,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            now=standing(serving, dataset=identity, image_size=size),
            new=standing(candidate, dataset=identity, image_size=size),
            comparison=compare(serving.predictions, candidate.predictions),
            target=self.target,
            threshold=self.outputs.confidence_threshold,
            requires_evidence=self.plan.requires_evidence == YES,
            corrections=told(extended.section),
            added=extended.added,
            evidence=evidence,
            local=self.local,
        )

    def _evaluated(self, held: HeldOut, answers: tuple[Any, Any], model: str, endpoint: str) -> Evaluation:
        predictions = held.predictions(*answers, model=model, endpoint=endpoint, now=datetime.now(UTC))
        return evaluate(predictions, target_error=self.target, configured=self.outputs.confidence_threshold)

    def _leave(self, job: str, evaluation: Evaluation, dataset: Path, evidence: Evidence, address: str) -> None:
        """Leave the candidate's evidence and card beside it, and have it in the register, approved by nobody."""
        with tempfile.TemporaryDirectory(prefix="evaluation-") as temporary:
            folder = Path(temporary)
            write_files(
                folder, evaluation, to_evaluation(evaluation), evidence, dataset=dataset,
                command="python -m operations retrain",
            )  # fmt: skip
            files = {name: (folder / name).read_bytes() for name in prefixes.MEASURED_FILES if (folder / name).exists()}
        leave(self.bucket.s3, files, address)
        version, done = register_evaluation(
            self.sagemaker,
            self.outputs.model_package_group,
            job,
            files[prefixes.EVIDENCE_FILE],
            evidence_uri=address,
            artifact=self.bucket.uri(f"{prefixes.MODELS}{job}/{prefixes.ARTIFACT_FILE}"),
            target=self.target,
        )
        self.say(f"{job}: version {version.number} of the register ({done}, {version.status})")


def _hyperparameters(served: Mapping[str, str], extended: Extended) -> dict[str, str]:
    """Those of the model that serves, for more images."""
    data = TrainingData.of(extended.manifest)
    values = {**served, "num_classes": str(data.labels), "num_training_samples": str(data.train)}
    defaults = {name: row.default for name, row in HYPERPARAMETERS.items() if row.default is not None}
    if problems := [f"{name} {problem}" for name, problem in broken({**defaults, **values}, data, idle=False)]:
        raise UserError(f"the hyperparameters of the model that serves do not fit any more: {'; '.join(problems)}")
    return values
