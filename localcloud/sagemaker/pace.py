"""How fast SageMaker goes here: what takes it minutes takes seconds."""

from __future__ import annotations

SECONDS_PER_MINUTE = 1.0
"""How long a minute of watching takes here."""
PROVISIONING_SECONDS = 2.5
"""How long the new instances of a roll-out take to come up."""
WATCH_SECONDS = 2
"""For how long functions here believe what DescribeEndpoint said (ENDPOINT_WATCH_SECONDS): less than new instances take
to come up, as on AWS (handlers/serving.py)."""
