"""The definition of the state machine that classifies everything under a prefix: a Distributed Map over the objects.

Its children go through the states of a single photo (`states_in_batch`). They are Express: a million of them cost
about two dollars, where Standard ones would cost about 150 in state transitions (docs/scale.md). What they lack is a
history; how each ended is in the files that the ResultWriter leaves.
"""

from __future__ import annotations

from components.parts.state_machine import Resources, states_in_batch
from contract import prefixes

LABEL = "photos"
"""Of the Map Run: what the children's ARNs are told apart by."""


def batch_definition(
    resources: Resources, bucket: str, *, concurrency: int, tolerated_percent: float
) -> dict[str, object]:
    """The definition, ready for `json.dumps`; its input is `{"prefix": "batch/2026/"}`.

    S3's list names no versions. A child pins the version that is current when Serialize looks at it, and its decision
    names that one.

    Args:
        resources: what the states invoke, put, send and publish to.
        bucket: the one that the photos and the results lie in.
        concurrency: how many photos are classified at a time.
        tolerated_percent: the share of photos that may end in a fault before the batch stops.
    """
    item = "$states.context.Map.Item.Value"
    s3 = f"arn:{resources.partition}:states:::s3"
    return {
        "Comment": "Every photo under a prefix is classified as one that is uploaded",
        "QueryLanguage": "JSONata",
        "StartAt": "ClassifyAll",
        "States": {
            "ClassifyAll": {
                "Type": "Map",
                "Label": LABEL,
                "ItemReader": {
                    "Resource": f"{s3}:listObjectsV2",
                    "Arguments": {"Bucket": bucket, "Prefix": "{% $states.input.prefix %}"},
                },
                "ItemSelector": {
                    "s3_bucket": bucket,
                    "s3_key": f"{{% {item}.Key %}}",
                    "size": f"{{% {item}.Size %}}",
                },
                "MaxConcurrency": concurrency,
                "ToleratedFailurePercentage": float(tolerated_percent),
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                    "StartAt": "IsPhoto",
                    "States": states_in_batch(resources),
                },
                "ResultWriter": {
                    "Resource": f"{s3}:putObject",
                    "Arguments": {"Bucket": bucket, "Prefix": prefixes.BATCH_RESULTS.rstrip("/")},
                    # lines, so that the results of a million photos can be read one by one
                    "WriterConfig": {"OutputType": "JSONL", "Transformation": "NONE"},
                },
                "End": True,
            }
        },
    }
