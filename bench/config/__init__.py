"""Read a YAML config, check it, and resolve it to an ``Experiment``: see ``loader.load_config``."""
