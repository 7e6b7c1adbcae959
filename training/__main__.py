"""`python -m training`: from an archive to a dataset, and from a model's answers to a threshold."""

from __future__ import annotations

import sys


def _main() -> int:
    try:
        from training.cli import main

        return main(sys.argv[1:])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(_main())
