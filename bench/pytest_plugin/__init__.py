"""``pytest --bench-config``: the cases of a config as pytest's items, for users of pytest-benchmark."""
