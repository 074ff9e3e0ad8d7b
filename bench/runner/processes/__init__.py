"""The processes of a run: supervisor, flag server and workers, and the signals that end a run."""
