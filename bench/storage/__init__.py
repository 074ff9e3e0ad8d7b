"""Keep runs, the history and the noise of machines on disk."""
