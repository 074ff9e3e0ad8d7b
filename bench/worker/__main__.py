"""Start a worker: ``python -P -m bench.worker``."""

import os
import sys
from contextlib import suppress

from bench.worker.main import main

main()
for stream in (sys.stdout, sys.stderr):
    with suppress(Exception):  # the strategy may have closed or replaced it
        stream.flush()
# Without this, a thread that the strategy left behind would keep the interpreter waiting for ever.
os._exit(0)
