"""What the model runs on."""

from __future__ import annotations

from components.parts import bounds
from components.parts.config_reader import ConfigReader
from components.parts.hosting import LONGEST_BAKE, SHORTEST_BAKE, RealtimeHostingArgs, ServerlessHostingArgs
from training.job.hyperparameters import check_hosting_instance

KEYS = (
    *("endpointMode", "endpointInstanceType", "endpointMinInstances", "endpointMaxInstances", "rolloutBakeMinutes"),
    *("serverlessMemoryMb", "serverlessMaxConcurrency", "capturePercentage"),
)


def read_hosting(reader: ConfigReader) -> tuple[RealtimeHostingArgs | None, ServerlessHostingArgs | None]:
    """Instances or memory: one of the two."""
    mode = reader.one_of("endpointMode", ("realtime", "serverless"))
    instance_type = reader.text("endpointInstanceType")
    if reader.is_good("endpointInstanceType"):
        reader.add(check_hosting_instance(instance_type))
    least = reader.whole_number("endpointMinInstances", *bounds.INSTANCES)
    most = reader.whole_number("endpointMaxInstances", *bounds.INSTANCES)
    if reader.is_good("endpointMinInstances") and reader.is_good("endpointMaxInstances") and most < least:
        reader.must("endpointMaxInstances", f"be at least endpointMinInstances ({least})", str(most))
    bake = reader.whole_number("rolloutBakeMinutes", 0, LONGEST_BAKE)
    if 0 < bake < SHORTEST_BAKE:
        reader.must("rolloutBakeMinutes", f"be 0 or from {SHORTEST_BAKE} to {LONGEST_BAKE}", str(bake))
    elif mode == "realtime" and bake and least == 1 and reader.is_good("endpointMinInstances"):
        allowed = "be at least 2 where rolloutBakeMinutes is not 0, so that one of them can go first"
        reader.must("endpointMinInstances", allowed, str(least))
    memory = reader.one_of_numbers("serverlessMemoryMb", bounds.SERVERLESS_MEMORY_MB)
    concurrency = reader.whole_number("serverlessMaxConcurrency", *bounds.SERVERLESS_CONCURRENCY)
    capture = reader.whole_number("capturePercentage", *bounds.CAPTURE_PERCENT)
    if mode == "serverless":
        if capture:
            allowed = "be 0 when endpointMode is serverless, which AWS captures nothing of"
            reader.must("capturePercentage", allowed, str(capture))
        return None, {"memory_mb": memory, "max_concurrency": concurrency}
    realtime: RealtimeHostingArgs = {
        "instance_type": instance_type,
        "min_instances": least,
        "max_instances": most,
        "capture_percentage": capture,
        "bake_minutes": bake,
    }
    return realtime, None
