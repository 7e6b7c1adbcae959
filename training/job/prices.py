"""What a training instance costs, roughly: enough to see whether a job costs cents or dollars."""

from __future__ import annotations

from collections.abc import Mapping

REGION = "us-east-1"
PRICES_AS_OF = "2026-11"
USD_PER_HOUR: Mapping[str, float] = {
    "ml.p2.xlarge": 1.125,
    "ml.p3.2xlarge": 3.825,
    "ml.p3.8xlarge": 14.688,
    "ml.g4dn.xlarge": 0.7364,
    "ml.g4dn.2xlarge": 0.94,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.g5.4xlarge": 2.03,
    "ml.g5.8xlarge": 3.06,
    "ml.g5.12xlarge": 7.09,
    "ml.g5.24xlarge": 10.18,
    "ml.g5.48xlarge": 20.36,
}
"""SageMaker training on demand in REGION, US dollars an hour and instance.

Taken in PRICES_AS_OF from public price lists that repeat https://aws.amazon.com/sagemaker/pricing/, not from AWS
itself. An instance that is missing, another region or a contract's prices: `--price-per-hour`.
"""
