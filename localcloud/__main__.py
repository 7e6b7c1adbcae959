"""`python -m localcloud`: the whole system on this machine."""

from __future__ import annotations

import signal
import sys


def _main() -> int:
    # ended like interrupted
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from localcloud.cli import main

        return main(sys.argv[1:])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(_main())
