"""Set the examples of each property test: 25, or 100 with `--hypothesis-profile=thorough tests/unit`."""

from hypothesis import settings

settings.register_profile("quick", max_examples=25)
settings.register_profile("thorough", max_examples=100)
settings.load_profile("quick")
