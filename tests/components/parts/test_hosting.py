import re

import pytest

from components.parts.hosting import check_hosting

REALTIME = {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 2}
SERVERLESS = {"memory_mb": 2048, "max_concurrency": 5}


@pytest.mark.parametrize("given", [{"realtime": REALTIME}, {"serverless": SERVERLESS}])
def test_one_way_of_hosting_is_enough(given):
    check_hosting("model", given.get("realtime"), given.get("serverless"))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "exactly one of realtime and serverless must be given, got none"),
        ({"realtime": None, "serverless": None}, "got none"),
        ({"realtime": REALTIME, "serverless": SERVERLESS}, "got both"),
        (
            {"realtime": REALTIME | {"min_instances": 0}},
            "realtime.min_instances must be a whole number from 1 to 20, got 0",
        ),
        (
            {"realtime": REALTIME | {"min_instances": 3, "capture_percentage": 101}},
            "realtime.max_instances must be min_instances (3) or more, got 2; "
            "realtime.capture_percentage must be a whole number from 0 to 100, got 101",
        ),
        (
            {"serverless": {"memory_mb": 2000, "max_concurrency": 201}},
            "serverless.memory_mb must be one of 1024, 2048, 3072, 4096, 5120, 6144, got 2000; "
            "serverless.max_concurrency must be a whole number from 1 to 200, got 201",
        ),
    ],
)
def test_hosting_that_cannot_be_is_refused_when_the_component_is_built(args, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        check_hosting("model", args.get("realtime"), args.get("serverless"))
