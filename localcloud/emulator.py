"""ministack, started so that its functions do not wait for Nagle's algorithm: `python -P localcloud/emulator.py`.

Its Lambda Runtime API answers in two small writes; with the client's delayed acknowledgement each invocation waits
some 40 ms for the second.
"""

from __future__ import annotations

import socketserver

from ministack.app import main  # pyright: ignore[reportMissingTypeStubs]

if __name__ == "__main__":
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    main()
