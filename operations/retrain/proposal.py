"""What is proposed: the figures, what they show, and the commands that adopt the candidate; nothing is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from contract.intervals import wilson_interval
from contract.invocation import command
from contract.names import setting
from contract.promotion import lowest_named
from contract.screen import counted
from contract.shares import percent
from operations.retrain.comparison import LEVEL, Comparison, Paired
from training.evaluation.evidence import evidence_of
from training.evaluation.findings import Evaluation

VERSION = 1
LONGEST_SUBJECT = 99
"""Characters of an e-mail's subject: SNS takes fewer than 100, of ASCII."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one model stands on the held-out photos."""

    model: str
    photos: int
    right: int
    accuracy: tuple[float, float]
    """Wilson's interval."""
    threshold: float | None
    """The lowest that the evaluation recommends for the target; None when it shows none."""
    accepted: int
    """Photos that it accepts."""
    coverage: tuple[float, float]
    """Wilson's interval of the share accepted."""
    supported: float | None
    """The lowest threshold that the evidence supports, as `pulumi up` judges it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate, compared with the model that serves."""

    stack: str
    because: str
    """Why it was trained."""
    created: str
    """ISO 8601."""
    now: Standing
    new: Standing
    comparison: Comparison
    target: float
    """The share of accepted photos that may be wrong."""
    threshold: float | None
    """The stack's own; None when it is not known."""
    requires_evidence: bool
    """Whether the stack refuses a threshold that the evidence does not support."""
    corrections: str
    """What became of the corrections, as a sentence."""
    added: int
    """Corrections that the serving model was not trained with, or measured on."""
    evidence: str
    """`s3://` address of the candidate's evidence."""
    local: bool
    """Whether all of this happened on the emulators."""

    @property
    def adopt(self) -> tuple[str, ...]:
        """The commands that serve the candidate."""
        settings = {"modelJob": self.new.model}
        lowest = self.new.supported
        if self.requires_evidence and self.threshold is not None and lowest is not None and self.threshold < lowest:
            settings["confidenceThreshold"] = f"{lowest:g}"
        return self._commands(settings)

    @property
    def go_back(self) -> tuple[str, ...]:
        """The commands that serve the model again that serves now."""
        return self._commands({"modelJob": self.now.model})

    def _commands(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        if self.local:
            words = [word for key, value in settings.items() for word in ("--config", f"{key}={value}")]
            return (command("localcloud", "up", "--stack", self.stack, *words),)
        sets = (f"pulumi config set --stack {self.stack} {setting(key)} {value}" for key, value in settings.items())
        return (*sets, f"pulumi up --stack {self.stack}")

    @property
    def subject(self) -> str:
        """Of the message: ASCII, and not too long for SNS."""
        text = f"Scones {self.stack}: a retrained model is proposed ({self.comparison.verdict})"
        return text.encode("ascii", "replace").decode()[:LONGEST_SUBJECT]

    def text(self) -> str:
        """The message."""
        now, new = self.now, self.new
        lines = [
            f"A model was trained for the stack {self.stack} and compared with what serves. Nothing is deployed.",
            "",
            f"Verdict: {self.comparison.verdict}.",
            f"Why: {self.because}. {self.corrections}; {self.added} new.",
            f"Candidate: {new.model}",
            f"Serving:   {now.model}",
            "",
            f"On the same photos, candidate against serving ({100 * LEVEL:g} % intervals):",
            *(f"- {name}: {_compared(each)}" for name, each in self.comparison.sets.items()),
        ]
        if self.comparison.corrected:
            lines.append(
                f"- corrected photos, held out: {_compared(self.comparison.corrected)}. They decide nothing: they are "
                "there because a model was unsure of them"
            )
        lines += [
            "",
            f"At most {percent(self.target, tenths=True)} of accepted photos wrong:",
            f"- candidate: {_accepts(new)}",
            f"- serving: {_accepts(now)}",
            self._threshold,
            "",
            f"Evidence: {self.evidence}",
            "",
            "To adopt it, beside every other --config that the stack was brought up with:"
            if self.local
            else "To adopt it:",
            *(f"  {line}" for line in self.adopt),
            "To go back afterwards:",
            *(f"  {line}" for line in self.go_back),
            "To keep what serves: do nothing.",
        ]
        return "\n".join(lines) + "\n"

    @property
    def _threshold(self) -> str:
        if self.threshold is None:
            return "The stack's threshold is not known here."
        if self.new.supported is None:
            return "No threshold is supported by the candidate's evidence: a stack that requires evidence refuses it."
        if self.threshold >= self.new.supported:
            return f"The stack's threshold {self.threshold:g} is supported by the candidate's evidence."
        return (
            f"The stack's threshold {self.threshold:g} is not supported by the candidate's evidence; the lowest that "
            f"is supported is {self.new.supported:g}."
        )

    def as_plain(self) -> dict[str, Any]:
        """For scripts, and for what is kept beside the candidate's artifact."""
        return {
            "version": VERSION,
            **asdict(self),
            "verdict": self.comparison.verdict,
            "adopt": list(self.adopt),
            "go_back": list(self.go_back),
            "subject": self.subject,
            "text": self.text(),
        }


def standing(evaluation: Evaluation, *, dataset: str, image_size: int) -> Standing:
    """How a model stands.

    Args:
        evaluation: of its answers.
        dataset: the identity of the dataset that they are about.
        image_size: pixels a side of what it was sent.
    """
    evidence = evidence_of(evaluation, dataset=dataset, image_size=image_size)
    found = evaluation.recommendation.found
    accepted = found.accepted if found else 0
    return Standing(
        model=evaluation.predictions.model,
        photos=evaluation.photos,
        right=evaluation.right,
        accuracy=evaluation.accuracy_interval,
        threshold=found.threshold if found else None,
        accepted=accepted,
        coverage=wilson_interval(accepted, evaluation.photos, LEVEL),
        supported=lowest_named(evidence, evaluation.recommendation.target_error),
    )


def _compared(each: Paired) -> str:
    low, high = (100 * share for share in each.difference)
    return (
        f"{each.new} against {each.now} of {each.photos} right; {each.gained} gained, {each.lost} lost, "
        f"{low:+.1f} to {high:+.1f} points, p = {each.p:.2g}"
    )


def _accepts(each: Standing) -> str:
    low, high = (percent(share) for share in each.coverage)
    accuracy = f"{each.right} of {counted(each.photos, 'photo')} right"
    if each.threshold is None:
        return f"no threshold is shown to hold that; {accuracy}"
    share = percent(each.accepted / each.photos)
    return f"threshold {each.threshold:g} accepts {share} of photos ({low} to {high}); {accuracy}"
