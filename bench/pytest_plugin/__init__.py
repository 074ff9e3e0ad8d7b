"""``pytest --bench-config``: cases of a config as pytest items, for users of pytest-benchmark."""
