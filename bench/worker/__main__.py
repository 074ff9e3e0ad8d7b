"""``python -P -m bench.worker``: a process for one trial."""

import os
import sys
from contextlib import suppress

from bench.worker.main import main

main()
with suppress(ValueError):  # the strategy may have closed them
    sys.stdout.flush()
    sys.stderr.flush()
# Threads that a strategy left behind would keep the interpreter waiting for ever.
os._exit(0)
