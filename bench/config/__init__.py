"""What a run is asked to do: a YAML file, read with suspicion and resolved to an ``Experiment``."""
