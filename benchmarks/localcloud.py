"""What a photo costs in the local cloud, against the same without what was done about the emulator's waits.

    python benchmarks/localcloud.py [--photos 64] [--at-once 16] [--alone 12] [--json]

Two copies of this project, each with a stack of its own on emulators of its own, take turns:

(a) An execution alone: from its start to its end, as Step Functions tells them; the median.
(b) Photos a second with 16 on their way at a time, from the first upload to the end of the last execution.
(c) What the emulator's process grows by, a photo: it keeps the photo, its execution's history and its decision.

The peer's emulator answers functions with Nagle's algorithm on, and lets an execution sleep before its first state,
as ministack does by itself. Functions are warm before
anything is measured. CPU seconds are those of the whole cloud, which other processes on the machine disturb the least.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PACKAGES = ("benchmarks", "components", "contract", "handlers", "localcloud", "operations", "policy", "training")
CLASSES = ("bicycle", "motorcycle")
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
DONE = ("socketserver.StreamRequestHandler.disable_nagle_algorithm = True", "states.time = _States()")
"""The lines that the peer's emulator lacks."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one cloud."""

    execution_ms: float
    photos_a_second: float
    kb_a_photo: float
    cpu_ms_a_photo: float


def copy_of_the_project(folder: Path, *, changed: bool) -> Path:
    """The product's files, a drawn dataset and an empty layer; `changed` is false for the peer."""
    from training.dataset.archive import Archive
    from training.dataset.prepare import prepare
    from training.synthetic.synthesize import write_archive

    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / "__main__.py", *ROOT.glob("Pulumi*.yaml")):
        shutil.copy(path, folder / path.name)
    archive = write_archive(
        folder / "archive.tar.gz", classes=list(CLASSES), train_per_class=150, test_per_class=40, others_per_kind=4
    )
    prepare(Archive(archive), list(CLASSES), folder / "build/dataset", neither=True)
    (folder / "build/layer.zip").write_bytes(EMPTY_ZIP)
    if not changed:
        emulator = folder / "localcloud/emulator.py"
        text = emulator.read_text()
        for line in DONE:
            assert text.count(line) == 1, line
            text = text.replace(line, "pass")
        emulator.write_text(text)
    return folder


def measure(photos: int, at_once: int, alone: int) -> Figures:
    """Bring the stack of this folder up, and send photos through it."""
    import psutil

    from localcloud import photos as sending
    from localcloud.daemon import read_state
    from localcloud.deployment import Listener, connect, deploy, shut_down
    from localcloud.places import FOLDER

    here = Path.cwd()
    deploy(here, "dev", {}, Listener())
    try:
        cloud, deployment = connect(here)
        state = read_state(here / FOLDER)
        assert state
        daemon = psutil.Process(state.pid)
        (emulator,) = (child for child in daemon.children() if "emulator.py" in " ".join(child.cmdline()))
        pictures = sending.sample(here / "build/dataset", at_once, seed=0)

        def send(count: int, together: int) -> list[sending.Result]:
            sending.AT_ONCE = together
            chosen = [pictures[index % len(pictures)] for index in range(count)]
            return sending.Classification(cloud, deployment).run(chosen, lambda result: None)

        def spent() -> float:
            family = [daemon, *daemon.children(recursive=True)]
            return sum(each.cpu_times().user + each.cpu_times().system for each in family)

        send(2 * at_once, at_once)
        states = cloud.client("stepfunctions")
        lasted: list[float] = []
        for result in send(alone, 1):
            told = states.describe_execution(executionArn=result.execution)
            lasted.append((told["stopDate"] - told["startDate"]).total_seconds() * 1000)
        held, cpu, began = emulator.memory_info().rss, spent(), time.monotonic()
        send(photos, at_once)
        seconds = time.monotonic() - began
        return Figures(
            round(statistics.median(lasted), 1),
            round(photos / seconds, 2),
            round((emulator.memory_info().rss - held) / 1024 / photos, 1),
            round((spent() - cpu) / photos * 1000, 1),
        )
    finally:
        shut_down(here)


def measured_in(folder: Path, words: list[str]) -> Figures:
    """The figures of a copy, measured by a process of its own."""
    command = [sys.executable, str(folder / "benchmarks/localcloud.py"), "--here", *words]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return Figures(**json.loads(done.stdout))


def rows_of(ours: Figures, peer: Figures) -> list[Mapping[str, object]]:
    """A row a question, with the peer's figure and the ratio of ours to it."""
    first, second = asdict(ours), asdict(peer)
    return [
        {"figure": name, "scones": first[name], "peer": second[name], "ratio": round(first[name] / second[name], 2)}
        for name in first
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=64, help="sent for the throughput (%(default)s)")
    parser.add_argument("--at-once", type=int, default=16, help="of them on their way at a time (%(default)s)")
    parser.add_argument("--alone", type=int, default=12, help="sent one after the other (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        print(json.dumps(asdict(measure(given.photos, given.at_once, given.alone))))
        return 0
    words = ["--photos", str(given.photos), "--at-once", str(given.at_once), "--alone", str(given.alone)]
    with tempfile.TemporaryDirectory() as name:
        copies = {changed: copy_of_the_project(Path(name) / str(changed), changed=changed) for changed in (False, True)}
        peer, ours = (measured_in(copies[changed], words) for changed in (False, True))
    rows = rows_of(ours, peer)
    if given.json:
        print(json.dumps(rows))
        return 0
    print(f"{'':18}{'Scones':>10}{'peer':>10}{'ratio':>8}")
    for row in rows:
        print(f"{row['figure']:18}{row['scones']:>10}{row['peer']:>10}{row['ratio']:>8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
