"""Names that others match literally, and that no package but contract/ spells out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from contract import decisions, drift, errors, names, outputs, prefixes

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("handlers", "training", "operations", "components", "localcloud")
SOURCES = [ROOT / "__main__.py", *(path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))]
FOLDERS = {prefixes.INCOMING, *prefixes.OTHERS} - {prefixes.TEST}
"""Prefixes that mean nothing but themselves: `test/` is also a folder of a dataset."""
WRITTEN_ONCE = {
    # AccessDenied is also what AWS itself calls it
    *({fault.__name__ for fault in (*errors.PERMANENT, *errors.TRANSIENT)} - {"AccessDenied"}),
    *(fault.CODE for fault in errors.ForAPerson.__subclasses__()),
    *FOLDERS,
    decisions.EVENT_SOURCE,
    decisions.EVENT_TYPE,
    drift.DRIFT_EVENT_SOURCE,
    drift.DRIFT_DETECTED,
    names.PROJECT,
    names.TRAINING_LOG_GROUP,
    names.ENDPOINT_LOG_GROUP,
    outputs.VARIABLE,
}


def strings_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string, parts of f-strings among them, that is no docstring."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def spelled_out(source: str) -> list[tuple[int, str]]:
    """Where a string is one of WRITTEN_ONCE, or begins with a prefix, a log group or the project's namespace."""
    begins = (*FOLDERS, names.TRAINING_LOG_GROUP, names.ENDPOINT_LOG_GROUP, f"{names.PROJECT}:", f"{names.PROJECT}.")
    codes = tuple(fault.CODE for fault in errors.ForAPerson.__subclasses__())
    return [
        (line, text)
        for line, text in strings_of(source)
        if text in WRITTEN_ONCE or text.startswith(begins) or any(code in text for code in codes)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_shared_name_is_spelled_out_outside_the_contract(path: Path) -> None:
    assert spelled_out(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "if error == 'ThresholdNotMet': pass",
        "key = f'incoming/{name}'",
        "text.removeprefix('THRESHOLD_CONFIDENCE_NOT_MET ')",
        "configuration['scones:classes']",
        "os.environ['SCONES_OUTPUTS']",
        "group = '/aws/sagemaker/Endpoints/e'",
    ],
)
def test_a_shared_name_that_is_spelled_out_is_found(line: str) -> None:
    assert spelled_out(line)


def test_the_project_is_pulumi_s() -> None:
    assert yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["name"] == names.PROJECT
    assert names.setting("classes") == "scones:classes"
    assert names.component_type("DataBucket") == "scones:components:DataBucket"


def test_what_rules_of_other_systems_match_stays_as_it_is() -> None:
    assert (decisions.EVENT_SOURCE, decisions.EVENT_TYPE) == ("scones.classification", "VehicleClassified")
    assert (drift.DRIFT_EVENT_SOURCE, drift.DRIFT_DETECTED) == ("scones.monitoring", "DriftDetected")
