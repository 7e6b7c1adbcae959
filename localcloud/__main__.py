"""`python -m localcloud`: the whole system on this machine."""

from __future__ import annotations

import signal
import sys

from localcloud.cli import main

if __name__ == "__main__":
    # ended like interrupted: what was started is stopped
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
