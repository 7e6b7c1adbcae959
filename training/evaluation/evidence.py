"""The evidence of an evaluation, for those who deploy the model."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from contract.evidence import LEVEL, Evidence, Row, StrangersRouted
from training.evaluation.findings import Evaluation
from training.evaluation.statistics import error_upper_bound
from training.evaluation.strangers import acceptance, routed_at


def evidence_of(evaluation: Evaluation, *, dataset: str, image_size: int) -> Evidence:
    """What an evaluation says about every threshold, at the level of the contract.

    Args:
        evaluation: of held-out photos and strangers.
        dataset: the identity of the dataset that they are of; empty when it is not known.
        image_size: pixels a side of what the model was sent.
    """
    predictions, curve = evaluation.predictions, evaluation.curve
    accepted, wrong = cast("list[int]", curve.accepted.tolist()), cast("list[int]", curve.errors.tolist())
    thresholds = cast("list[float]", curve.thresholds.tolist())
    rows = tuple(
        Row(threshold, count, errors, error_upper_bound(errors, count, LEVEL))
        for threshold, count, errors in reversed(list(zip(thresholds, accepted, wrong, strict=True)))
    )
    strangers: dict[str, StrangersRouted] = {}
    for group, scored in predictions.strangers.items():
        scores = acceptance(scored.probabilities, predictions.classes)
        through = [routed_at(row.threshold, scores, LEVEL) for row in rows]
        strangers[group] = StrangersRouted(
            len(scores), tuple(each.routed for each in through), tuple(each.bound for each in through)
        )
    found = evaluation.recommendation.found
    return Evidence(
        model=predictions.model,
        labels=predictions.classes,
        image_size=image_size,
        dataset=dataset,
        created=datetime.fromisoformat(predictions.created),
        photos=evaluation.photos,
        rows=rows,
        strangers=strangers,
        recommended=None if found is None else found.threshold,
    )
