"""What the functions run on: the layer is built for it, and every function is pinned to it."""

RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
