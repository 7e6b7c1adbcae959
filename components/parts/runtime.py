"""What the functions run on: the layer is built for it, and every function is pinned to it."""

from __future__ import annotations

RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
