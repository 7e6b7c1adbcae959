"""`make demo`: everything once, from a drawn archive to routed drivers, with what there is to see."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule

from components.parts.layer import DEFAULT as LAYER
from components.parts.layer import build_layer
from contract.captures import read_line
from contract.decisions import OUTCOMES
from contract.errors import InvalidImage, UserError
from contract.invocation import command
from contract.names import setting
from contract.prefixes import CAPTURE
from contract.screen import ERRORS, SCREEN, write_line
from localcloud import STARTED
from localcloud.cloud import Cloud
from localcloud.commands.classify import follow, totals, write_results
from localcloud.commands.up import bring_up, write_resources
from localcloud.deployment import Deployment, connect, environment_of, shut_down
from localcloud.graph import OF_A_PROMOTION
from localcloud.photos import Photo, Result, sample, waiting_in
from localcloud.promotion import Promotion, promote, source_of, target_of
from operations.review.command import write_queue
from operations.review.queue import Waiting
from training.dataset.archive import Archive
from training.dataset.prepare import prepare
from training.synthetic import OTHERS_PER_KIND
from training.synthetic.synthesize import write_archive

FOLDER = Path("build/demo")
PORTRAIT = "matplotlib/mpl-data/sample_data/grace_hopper.jpg"
"""A real photograph, 512x600, that matplotlib ships (by the US Navy, in the public domain): of none of the classes."""
BROKEN = b"\xff\xd8\xff\xe0 this is where a photo should be"


def demo(
    stack: str, overrides: Mapping[str, str], *, photos: int, classes: Sequence[str] | None, keep: bool, as_json: bool
) -> int:
    """Show everything, and write `build/demo/summary.json`.

    Args:
        stack: whose configuration.
        overrides: settings beyond the stack's file.
        photos: how many held-out photos go through the workflow, besides a photograph and a broken file.
        classes: other classes than the stack's.
        keep: leave the stack up.
        as_json: print the summary instead of pointing at it.

    Returns:
        0 when everything went as it should, 1 otherwise, with the reasons on the error stream.
    """
    # for scripts, standard output holds the summary and nothing else
    out = ERRORS if as_json else SCREEN
    watch = _Stopwatch(STARTED)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    if shut_down(Path.cwd()):
        ERRORS.print("a stack was up: it is stopped, the demo starts afresh")
    watch.lap("start")
    try:
        with _phase(watch, out, "Data: draw an archive in CIFAR-100's format, and make a dataset of it", "data"):
            settings = _data(out, stack, overrides, classes)
        if not LAYER.is_file():
            with _phase(watch, out, "Layer: third-party code for Lambda, built without Docker", "layer"):
                build_layer(LAYER)
        # a stack that takes its model from another one follows that one
        source = source_of(Path.cwd(), stack, settings)
        trained = source or stack
        with _phase(watch, out, "Up: the Pulumi program, unmodified, on emulators of AWS", "up"):
            write_resources(bring_up(trained, _own(settings) if source else settings), out)
        cloud, deployment = connect(Path.cwd(), trained)
        with _phase(watch, out, "Evaluate: which threshold does the held-out split support?", "evaluate"):
            _evaluate(out, cloud)
        promotion = None
        if source:
            promotion = _promote(watch, out, stack, settings)
            if promotion.threshold is None:
                raise UserError(f"no threshold is supported for {stack}, so there is nothing more to show")
            cloud, deployment = connect(Path.cwd(), stack)
        with _phase(watch, out, "Classify: photos into the bucket, drivers to their bays", "classify"):
            results = follow(cloud, deployment, _photos(photos))
            write_results(results, out)
            write_line(totals(results), out)
        with _phase(watch, out, "Review queue: what a person has to look at", "review"):
            waiting = waiting_in(cloud, deployment)
            write_queue(waiting, out)
        with _phase(watch, out, "Report: what the captured inferences say", "report"):
            _report(out, cloud, deployment, results)
        problems = _problems(cloud, deployment, results, waiting)
        if not source and (target := target_of(Path.cwd(), stack)):
            (one,) = sample(FOLDER / "dataset", 1, seed=1)
            promotion = _promote(watch, out, target, settings, one)
    finally:
        if keep:
            write_line(f"the stack stays up; stop it with: {command('localcloud', 'down')}", ERRORS)
        else:
            shut_down(Path.cwd())
    watch.lap("stop")
    if promotion is not None and not (promotion.refusal and promotion.threshold and promotion.decision != "fault"):
        problems.append(f"{promotion.stack} should refuse a threshold, then serve the model: {promotion.as_plain()}")
    summary = _summary(deployment, results, watch.seconds)
    summary["promotion"] = promotion.as_plain() if promotion else None
    (FOLDER / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    if as_json:
        print(json.dumps(summary, indent=2))
    else:
        out.print(Rule("Where to look", align="left"))
        for name, what in (
            ("report/index.html", "what the model did: open it in a browser"),
            ("evaluation/index.html", "accuracy, calibration, risk and coverage, the recommended threshold"),
            ("summary.json", f"this run in numbers; {sum(watch.seconds.values()):.0f} s in all"),
        ):
            write_line(f"  {FOLDER / name}  {what}", out)
    for problem in problems:
        ERRORS.print(f"not as it should be: {problem}", markup=False, soft_wrap=True)
    if keep and not as_json:
        # the page writes its own address; Ctrl-C ends it, and the stack stays
        words = [sys.executable, "-m", "operations", "review", "--serve"]
        subprocess.run(words, env=environment_of(cloud), check=False)
    return 1 if problems else 0


class _Stopwatch:
    """The seconds of each phase: one ends where the next begins, so that together they are the whole time."""

    def __init__(self, started: float) -> None:
        self.seconds: dict[str, float] = {}
        self._last = started

    def lap(self, name: str) -> None:
        """The phase `name` is over."""
        now = time.monotonic()
        self.seconds[name], self._last = round(now - self._last, 1), now


@contextmanager
def _phase(watch: _Stopwatch, out: Console, title: str, name: str) -> Generator[None]:
    out.print(Rule(title, align="left"))
    yield
    watch.lap(name)


def _promote(
    watch: _Stopwatch, out: Console, stack: str, settings: Mapping[str, str], photo: Photo | None = None
) -> Promotion:
    with _phase(watch, out, f"Promote: {stack} takes the model, if its evidence supports the threshold", "promote"):
        return promote(stack, settings, FOLDER / "evaluation/evidence.json", photo, out)


def _own(settings: Mapping[str, str]) -> dict[str, str]:
    """What is said of the stack that takes a model and not of the one that makes it, left out."""
    return {key: value for key, value in settings.items() if key.rpartition(":")[2] not in OF_A_PROMOTION}


def _data(out: Console, stack: str, overrides: Mapping[str, str], classes: Sequence[str] | None) -> dict[str, str]:
    from contract.stacks import read_stack

    read = read_stack(Path.cwd(), stack, overrides)
    read.require()
    configured = read.delivered()
    chosen = list(classes or json.loads(configured[setting("classes")]))
    archive = write_archive(
        FOLDER / "cifar-100-like.tar.gz",
        classes=chosen,
        train_per_class=500,
        test_per_class=500,
        others_per_kind=OTHERS_PER_KIND,
    )
    dataset = FOLDER / "dataset"
    manifest = prepare(Archive(archive), chosen, dataset, neither=configured[setting("neitherClass")] == "true")
    counts = ", ".join(f"{manifest.images(split)} {split}" for split in ("train", "validation", "test"))
    write_line(f"{', '.join(chosen)}: {counts} photos; dataset {manifest.identity[:12]}", out)
    settings = {**overrides, "datasetDir": str(dataset)}
    if classes:
        settings["classes"] = json.dumps(chosen)
        settings["loadingBays"] = json.dumps({name: f"bay {number}" for number, name in enumerate(chosen, 1)})
    return settings


def _photos(count: int) -> list[Photo]:
    broken = FOLDER / "broken.jpg"
    broken.write_bytes(BROKEN)
    portrait = FOLDER / "portrait.jpg"
    shipped = importlib.metadata.distribution("matplotlib").locate_file(PORTRAIT)
    portrait.write_bytes(Path(str(shipped)).read_bytes())
    return [*sample(FOLDER / "dataset", count, seed=0), Photo(portrait), Photo(broken)]


def _tool(out: Console, cloud: Cloud, *words: str) -> None:
    out.file.flush()
    finished = subprocess.run([sys.executable, "-m", *words], env=environment_of(cloud), stdout=out.file, check=False)
    if finished.returncode:
        raise UserError(f"python -m {' '.join(words)} ended with exit code {finished.returncode}")


def _evaluate(out: Console, cloud: Cloud) -> None:
    _tool(
        out, cloud, "training", "evaluate", "--dataset", str(FOLDER / "dataset"),
        "--output", str(FOLDER / "evaluation"), "--upload-baseline", "--upload-evidence",
    )  # fmt: skip


def _report(out: Console, cloud: Cloud, deployment: Deployment, results: Sequence[Result]) -> None:
    answered = sum(result.confidence is not None for result in results)
    deadline = time.monotonic() + 15
    # captures are written a moment after the answers
    while _captured(cloud, str(deployment.outputs["bucket"])) < answered and time.monotonic() < deadline:
        time.sleep(0.2)
    _tool(out, cloud, "operations", "report", "--output", str(FOLDER / "report"))


def _captured(cloud: Cloud, bucket: str) -> int:
    s3, count = cloud.client("s3"), 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=CAPTURE):
        for item in page.get("Contents", []):
            lines = s3.get_object(Bucket=bucket, Key=item.get("Key", ""))["Body"].iter_lines()
            count += sum(1 for line in lines if (found := read_line(line)) and not found.is_evaluation)
    return count


def _summary(deployment: Deployment, results: Sequence[Result], seconds: Mapping[str, float]) -> dict[str, Any]:
    decided = {outcome: [each for each in results if each.decision == outcome] for outcome in OUTCOMES}
    return {
        "stack": deployment.stack,
        "classes": deployment.outputs["classes"],
        "threshold": deployment.outputs["confidenceThreshold"],
        "photos": len(results),
        "accepted": len(decided["accepted"]),
        "review": len(decided["review"]),
        "neither": len(decided["neither"]),
        "fault": len(decided["fault"]),
        "accepted_correct": sum(result.correct is True for result in decided["accepted"]),
        "seconds": dict(seconds),
        "seconds_of_up": dict(deployment.seconds),
        "resources": dict(deployment.resources),
        "results": [{**asdict(result), "correct": result.correct} for result in results],
    }


def _problems(cloud: Cloud, deployment: Deployment, results: Sequence[Result], waiting: Sequence[Waiting]) -> list[str]:
    found: list[str] = []
    *ordinary, broken = results
    for result in ordinary:
        if result.decision == "fault":
            found.append(f"{result.photo} ended in {result.error}: {result.message}")
    if broken.error != InvalidImage.__name__:
        found.append(f"the broken file should end in {InvalidImage.__name__}, got {broken.error}")
    queued = {each.key for each in waiting}
    for result in results:
        if (result.decision != "accepted") != (result.key in queued):
            found.append(f"{result.photo} was {result.word}, and is {'' if result.key in queued else 'not '}queued")
    table = cloud.client("dynamodb").scan(TableName=deployment.outputs["decisionsTable"])["Items"]
    recorded = {item["key"].get("S"): item["decision"].get("S") for item in table}
    expected = {result.key: result.decision for result in results if result.decision != "fault"}
    if recorded != expected:
        found.append(f"{len(expected)} decisions should be recorded, got {len(recorded)}")
    judged = [result for result in ordinary if result.decision == "accepted" and result.correct is not None]
    if not judged or sum(bool(each.correct) for each in judged) / len(judged) < 0.7:
        found.append(f"of {len(judged)} accepted photos fewer than 70 % were right")
    for name in ("report/index.html", "evaluation/index.html", "evaluation/evaluation.json"):
        if not (FOLDER / name).is_file():
            found.append(f"{FOLDER / name} is missing")
    return found
