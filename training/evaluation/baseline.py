"""baseline.json: how sure the model was of held-out photos, for monitoring to compare later ones with."""

from __future__ import annotations

import numpy as np

from training.evaluation.predictions import Predictions

BINS = 20
"""Of equal width, closed below: a bin holds low <= confidence < high, the last one 1.0 too."""


def to_baseline(predictions: Predictions, threshold: float) -> dict[str, object]:
    """The baseline document (version 1) of `predictions`, accepted from `threshold` on."""
    confidences, predicted = predictions.confidences, predictions.predicted
    edges = [place / BINS for place in range(BINS + 1)]
    # np.histogram's own arithmetic puts 0.15 one bin too low: look the edges up instead
    places = np.minimum(np.searchsorted(edges, confidences, side="right"), BINS) - 1
    return {
        "version": 1,
        "created": predictions.created,
        "model": predictions.model,
        "classes": list(predictions.classes),
        "threshold": threshold,
        "count": len(confidences),
        "confidence_histogram": {
            "edges": edges,
            "counts": np.bincount(places, minlength=BINS).tolist(),
        },
        "class_counts": {label: int((predicted == place).sum()) for place, label in enumerate(predictions.classes)},
        "below_threshold": int((confidences < threshold).sum()),
    }
