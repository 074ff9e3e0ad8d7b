"""Prepare a process that a function of the user's starts without forking.

``multiprocessing`` imports this in place of the main module, before anything of the user's.
"""

from bench.api.own_strategy import find_own_strategy
from bench.worker.redirection import redirect_child

find_own_strategy()
redirect_child()
