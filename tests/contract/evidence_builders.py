"""Evidence of photos that are given one by one."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st
from scipy import stats

from contract.evidence import Evidence, Row, StrangersRouted


def evidence_of(photos: list[tuple[float, bool]]) -> Evidence:
    """Evidence of photos with these confidences, right or wrong, counted one by one."""
    rows: list[Row] = []
    for threshold in sorted({confidence for confidence, _ in photos}):
        inside = [right for confidence, right in photos if confidence >= threshold]
        wrong = inside.count(False)
        bound = 1.0 if wrong == len(inside) else float(stats.beta.isf(0.05, wrong + 1, len(inside) - wrong))
        rows.append(Row(threshold, len(inside), wrong, bound))
    strangers = {"unseen": StrangersRouted(10, tuple(0 for _ in rows), tuple(0.26 for _ in rows))}
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    return Evidence("job-1", ("a", "b", "neither"), 32, "0" * 64, moment, len(photos), tuple(rows), strangers, 0.9)


photo_lists = st.lists(st.tuples(st.integers(34, 100).map(lambda each: each / 100), st.booleans()), min_size=1)
"""Confidence, and whether the label was right, of each photo."""
