"""How fast captured inferences are read, against the cheapest way there is and the way that notebooks do it.

    python benchmarks/capture.py [--records 1000000] [--folder build/benchmarks/capture]

It needs 4 GB for a million records, and removes them at the end, when it is stopped too.

In one run over the same files: one pass of `orjson.loads` over every line (the floor: the bytes must be
parsed once), the reader, the whole report's counting on top, and the loop of the notebooks
(`json_data.append(f.read())`, then `json.loads`), which reads one record of each file: it is given files of
one record, so that it reads all of them. Each way runs in a process of its own, so that its peak memory is
its own.
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

RECORDS_PER_FILE = 500
BYTES_A_RECORD = 4000
"""On the disk, those in files of their own included: 711 MB for 200,000, and a block a small file."""
START = datetime(2026, 5, 1, tzinfo=UTC)


def generate(folder: Path, records: int, per_file: int) -> None:
    """Capture files with pictures of the size that a 32x32 photograph has as PNG (about 2.3 kB)."""
    draw = random.Random(1)
    pictures = [base64.b64encode(draw.randbytes(draw.randint(2000, 2600))).decode() for _ in range(200)]
    for first in range(0, records, per_file):
        time_of_file = START + timedelta(seconds=first)
        path = folder / f"vehicles/AllTraffic/{time_of_file:%Y/%m/%d/%H/%M-%S}-000-{first:08d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            for index in range(first, min(first + per_file, records)):
                confidence = 0.5 + 0.5 * draw.betavariate(9, 1.2)
                scores = [confidence, 1 - confidence][:: draw.choice((1, -1))]
                moment = START + timedelta(seconds=index)
                json.dump(
                    {
                        "captureData": {
                            "endpointInput": {
                                "observedContentType": "application/x-image",
                                "mode": "INPUT",
                                "data": pictures[index % len(pictures)],
                                "encoding": "BASE64",
                            },
                            "endpointOutput": {
                                "observedContentType": "application/json",
                                "mode": "OUTPUT",
                                "data": json.dumps(scores),
                                "encoding": "JSON",
                            },
                        },
                        "eventMetadata": {
                            "eventId": f"{index:036x}",
                            "inferenceId": f"{index:032x}",
                            "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                        },
                        "eventVersion": "0",
                    },
                    file,
                )
                file.write("\n")


def floor(folder: Path) -> int:
    import orjson

    count = 0
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            if line:
                orjson.loads(line)
                count += 1
    return count


def reader(folder: Path) -> int:
    from operations.captures.reader import CaptureReader
    from operations.captures.sources import open_source

    return sum(len(batch) for batch in CaptureReader(open_source(str(folder)), classes=2).batches())


def report(folder: Path) -> int:
    from operations.report.build import Order, build

    summary, _ = build(Order(capture=str(folder), threshold=0.8, labels=("bicycle", "motorcycle")))
    return summary.photos


def notebook(folder: Path) -> int:
    json_data: list[str] = []
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open() as file:
            json_data.append(file.read())
    parsed = [json.loads(text) for text in json_data]
    scores = [json.loads(item["captureData"]["endpointOutput"]["data"]) for item in parsed]
    times = [datetime.fromisoformat(item["eventMetadata"]["inferenceTime"]) for item in parsed]
    return len(list(zip(times, scores, strict=True)))


def _child(way: Callable[[Path], int], folder: Path, results: multiprocessing.SimpleQueue) -> None:
    way(folder / "nothing")  # imports are not what is measured
    start = time.perf_counter()
    count = way(folder)
    seconds = time.perf_counter() - start
    results.put((count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measure(way: Callable[[Path], int], folder: Path) -> tuple[int, float, float]:
    """(records, seconds, peak MiB) of one way in a new process."""
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    process = context.Process(target=_child, args=(way, folder, results))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{way.__name__} failed with exit code {process.exitcode}")
    return results.get()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/capture"))
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs is taken (default: 3)")
    parser.add_argument("--keep", action="store_true", help="leave the generated files there")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    args = parser.parse_args()
    if args.folder.exists():
        parser.error(f"--folder must be a new folder, since it is deleted at the end, got {args.folder}")
    args.folder.mkdir(parents=True)
    needed, free = args.records * BYTES_A_RECORD, shutil.disk_usage(args.folder).free
    try:
        if needed > free:
            parser.error(f"--records {args.records} needs {needed / 1e9:.1f} GB, {args.folder} has {free / 1e9:.1f}")
        return compare(args)
    finally:  # a run that is stopped leaves nothing either
        if not args.keep:
            shutil.rmtree(args.folder)


def compare(args: argparse.Namespace) -> int:
    """Make the files, measure each way and print what was found."""
    many, single = args.folder / "many", args.folder / "single"
    few = max(args.records // 20, 1)
    for folder in (many, single):
        (folder / "nothing").mkdir(parents=True)
    generate(many, args.records, RECORDS_PER_FILE)
    generate(single, few, 1)
    size = sum(path.stat().st_size for path in many.rglob("*.jsonl"))
    print(f"{args.records:,} records, {size / 1e6:,.0f} MB", file=sys.stderr)
    for path in args.folder.rglob("*.jsonl"):  # so that nobody reads a cold disk for the others
        path.read_bytes()
    rows: dict[str, tuple[int, float, float]] = {}
    for _ in range(args.repeat):
        for name, way, folder in (
            ("one pass of orjson.loads", floor, many),
            ("reader", reader, many),
            ("reader and report's counts", report, many),
            ("reader, files of one record", reader, single),
            ("notebook loop, files of one record", notebook, single),
        ):
            found = measure(way, folder)
            expected = args.records if folder is many else few
            if found[0] != expected:
                raise SystemExit(f"{name} read {found[0]} records of {expected}")
            rows[name] = min(rows.get(name, found), found, key=lambda row: row[1])
    per_record = {name: 1e6 * seconds / count for name, (count, seconds, _) in rows.items()}
    ratios = {
        "reader / one pass of orjson.loads": per_record["reader"] / per_record["one pass of orjson.loads"],
        "notebook loop / reader, on files of one record": per_record["notebook loop, files of one record"]
        / per_record["reader, files of one record"],
        "notebook loop on files of one record / reader on real files": per_record["notebook loop, files of one record"]
        / per_record["reader"],
    }
    if args.json:
        print(json.dumps({"rows": rows, "ratios": ratios}, indent=2))
    else:
        print(f"{'':38}{'records':>10}{'seconds':>9}{'µs/record':>11}{'peak MiB':>10}")
        for name, (count, seconds, peak) in rows.items():
            print(f"{name:38}{count:>10,}{seconds:>9.2f}{per_record[name]:>11.2f}{peak:>10.0f}")
        for name, ratio in ratios.items():
            print(f"{ratio:6.2f}  {name}")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
