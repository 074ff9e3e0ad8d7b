"""The processes of a run: the supervisor, the flag server, the workers, and the signals that end them."""
