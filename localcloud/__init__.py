"""The whole system on this machine: the unmodified program on emulators, with no AWS account."""

from __future__ import annotations

import time

STARTED = time.monotonic()
"""When this process came here, before it imported anything that takes time; in seconds of the monotonic clock."""
